-- The order that the one with exactly this id became part of.
SELECT DISTINCT s.order_id, s.first_position, s.until
FROM merged m
JOIN subjects s ON s.first_position = m.first_position
WHERE m.order_key = hash($name::VARCHAR) AND m.order_id = $name
