-- The order with exactly this id.
SELECT order_id, first_position, last_position
FROM chain.subjects
WHERE order_key = hash($name::VARCHAR) AND order_id = $name AND order_id <> ''
