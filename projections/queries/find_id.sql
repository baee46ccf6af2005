-- The order that the one with exactly this id became part of; `merged` are the ids of all that became part of it.
SELECT s.order_id, s.first_position, s.until, m.merged
FROM (
    SELECT DISTINCT s.order_id, s.first_position, s.until
    FROM merged m
    JOIN subjects s ON s.first_position = m.first_position
    WHERE m.order_key = hash($name::VARCHAR) AND m.order_id = $name
) s
LEFT JOIN (
    SELECT first_position, list(order_id ORDER BY order_id) AS merged
    FROM merged WHERE order_id <> survivor GROUP BY first_position
) m ON m.first_position = s.first_position
