-- A page of orders, open ones first: as `sort` says, what moved last on top, or what has not moved for longest (what is due
-- first is for orders_due.sql). What is closed comes after these, the latest close first. The keys alone: to sort whole
-- rows takes longer than to look them up.
SELECT first_position
FROM orders
WHERE ($open::BOOLEAN IS NULL OR open = $open)
    AND ($holder::VARCHAR IS NULL OR holder = $holder)
    AND ($status::VARCHAR IS NULL OR status = $status)
ORDER BY
    open DESC, CASE WHEN open AND $sort = 'waiting' THEN since END NULLS LAST,
    since DESC NULLS LAST, last_position DESC
LIMIT $limit OFFSET $offset
