-- The orders with these ids, in no order.
SELECT order_id AS asked, order_id, first_position, until
FROM chain.subjects
WHERE order_key IN (SELECT hash(id) FROM (SELECT unnest($orders::VARCHAR[]) AS id))
    AND order_id IN (SELECT unnest($orders::VARCHAR[])) AND order_id <> ''
