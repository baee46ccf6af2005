-- Customers whom the party has to call, because a message did not reach them (or nobody knows whether it did).
SELECT
    c.first_position, c.opened_at, c.due_at, c.state, c.overdue_seconds,
    e.data ->> 'kind' AS message_kind, left(e.data ->> 'reason', 200) AS reason,
    count(*) OVER () AS total
FROM concerning c
JOIN (SELECT position, data FROM chain.events WHERE position IN (SELECT position FROM concerning WHERE kind = 'call')) e
    ON e.position = c.position
WHERE c.kind = 'call' AND c.owner = $party
ORDER BY c.due_at, c.position
LIMIT $limit
