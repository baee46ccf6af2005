-- When the customers of several orders got letters since a moment, about any order of theirs; what went in the letter of
-- another message is no letter.
WITH asked AS (
    SELECT DISTINCT opened_by, customer FROM orders
    WHERE first_position IN (SELECT unnest($firsts::BIGINT[])) AND customer IS NOT NULL
)
SELECT o.opened_by, o.customer, m.sent_at
FROM messages m
JOIN orders o ON o.first_position = m.first_position
JOIN asked a ON a.opened_by = o.opened_by AND a.customer = o.customer
WHERE m.sent_at >= $since::TIMESTAMP AND m.letter IS NULL
