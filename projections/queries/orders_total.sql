-- How many orders there are that orders_page.sql would page through.
SELECT count(*) AS total
FROM orders
WHERE ($open::BOOLEAN IS NULL OR open = $open)
    AND ($holder::VARCHAR IS NULL OR holder = $holder)
    AND ($status::VARCHAR IS NULL OR status = $status)
