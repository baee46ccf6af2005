-- Orders with this reference or serial number, the latest first.
SELECT DISTINCT s.order_id, s.first_position, s.until
FROM names n
JOIN subjects s ON s.first_position = n.first_position
WHERE n.name_key = hash($name::VARCHAR) AND n.name = $name AND n.kind IN ('reference', 'serial')
ORDER BY s.first_position DESC
