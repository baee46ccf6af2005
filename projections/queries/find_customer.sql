-- Orders of the customer with this reference, the latest first.
SELECT DISTINCT s.order_id, s.first_position, s.until, m.merged
FROM names n
JOIN subjects s ON s.first_position = n.first_position
LEFT JOIN (
    SELECT first_position, list(order_id ORDER BY order_id) AS merged
    FROM merged WHERE order_id <> survivor GROUP BY first_position
) m ON m.first_position = s.first_position
WHERE n.name_key = hash($name::VARCHAR) AND n.name = $name AND n.kind = 'customer'
ORDER BY s.first_position DESC
