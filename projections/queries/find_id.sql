-- The order with exactly this id, or the one that it became part of; `merged` are the ids of those that became part of it.
WITH found AS (
    SELECT order_id, first_position, last_position
    FROM subjects
    WHERE order_key = hash($name::VARCHAR) AND order_id = $name AND order_id <> ''
    UNION
    SELECT s.order_id, s.first_position, s.last_position
    FROM merged m
    JOIN subjects s ON s.first_position = m.first_position
    WHERE m.order_key = hash($name::VARCHAR) AND m.order_id = $name
)
SELECT s.order_id, s.first_position, s.last_position, m.merged
FROM found s
LEFT JOIN (
    SELECT first_position, list(order_id ORDER BY order_id) AS merged
    FROM merged WHERE order_id <> survivor GROUP BY first_position
) m ON m.first_position = s.first_position
