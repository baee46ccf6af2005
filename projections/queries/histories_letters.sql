-- When the customers of several orders got letters since a moment, about any order of theirs; what went in the letter of
-- another message is no letter. With each, whether it said no more than that a question of hers has come.
WITH asked AS (
    SELECT DISTINCT opened_by, customer FROM orders
    WHERE first_position IN (SELECT unnest($firsts::BIGINT[])) AND customer IS NOT NULL
)
SELECT
    o.opened_by, o.customer,
    max(CASE WHEN m.letter IS NULL THEN m.sent_at END) AS sent_at,
    bool_and(m.kind = 'asked') AS acknowledges
FROM messages m
JOIN orders o ON o.first_position = m.first_position
JOIN asked a ON a.opened_by = o.opened_by AND a.customer = o.customer
WHERE m.sent_at >= $since::TIMESTAMP
GROUP BY o.opened_by, o.customer, m.first_position, coalesce(m.letter, m.message_id)
HAVING count_if(m.letter IS NULL) > 0
ORDER BY sent_at
