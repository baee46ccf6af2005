-- The orders that those with these ids (`asked`) became part of, in no order.
SELECT DISTINCT m.order_id AS asked, s.order_id, s.first_position, s.until
FROM chain.merged m
JOIN chain.subjects s ON s.first_position = m.first_position
WHERE m.order_id IN (SELECT unnest($orders::VARCHAR[])) AND m.order_id <> m.survivor
