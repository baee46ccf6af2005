SELECT count(*) AS total
FROM orders
WHERE ($open::BOOLEAN IS NULL OR open = $open)
    AND ($holder::VARCHAR IS NULL OR holder = $holder)
    AND ($status::VARCHAR IS NULL OR status = $status)
