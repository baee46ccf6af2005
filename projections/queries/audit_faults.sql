-- Messages that are not as they should be, with what is wrong: nothing is sent that was not planned, nothing is said to
-- be sent twice, and what is planned ends one way or another within the time in which every hold and every retry ends.
WITH faults AS (
    SELECT first_position, message_id, kind, status, planned_at,
        CASE
            WHEN planned_position IS NULL THEN 'never planned'
            WHEN sendings > 1 THEN 'sent more than once'
            WHEN status = 'planned' AND planned_at < $silent_since::TIMESTAMP THEN 'no outcome'
            WHEN letter IS NOT NULL AND NOT EXISTS (
                FROM messages l WHERE l.message_id = m.letter AND l.first_position = m.first_position AND l.status = 'sent'
            ) THEN 'its letter was not sent'
        END AS fault
    FROM messages m
)
SELECT f.message_id, s.order_id AS "order", f.kind, f.status, f.planned_at, f.fault
FROM faults f
JOIN chain.subjects s ON s.first_position = f.first_position
WHERE f.fault IS NOT NULL
ORDER BY f.planned_at NULLS FIRST, f.message_id, f.first_position
LIMIT $limit
