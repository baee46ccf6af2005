-- The order with exactly this id, if it goes on under it.
SELECT order_id, first_position, until
FROM subjects
WHERE order_key = hash($name::VARCHAR) AND order_id = $name AND order_id <> ''
