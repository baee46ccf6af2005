-- Orders of the customer with this reference, the latest first.
SELECT DISTINCT s.order_id, s.first_position, s.until
FROM names n
JOIN subjects s ON s.first_position = n.first_position
WHERE n.name_key = hash($name::VARCHAR) AND n.name = $name AND n.kind = 'customer'
ORDER BY s.first_position DESC
