-- Which order the message with this id is about.
SELECT s.order_id, m.message_id, m.kind
FROM messages m
JOIN chain.subjects s ON s.first_position = m.first_position
WHERE m.message_id = $message
