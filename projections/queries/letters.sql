-- When a customer got letters since a moment; what went in the letter of another message is no letter.
SELECT m.sent_at
FROM messages m
JOIN orders o ON o.first_position = m.first_position
WHERE m.sent_at >= $since::TIMESTAMP AND m.letter IS NULL AND o.opened_by = $opener AND o.customer = $customer
