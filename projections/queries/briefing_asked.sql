-- What customers asked and nobody has answered yet, what is due first to begin with. Who asked on a customer's behalf and
-- is to answer put the question to himself.
SELECT
    c.first_position, c.owner, c.opened_at AS asked_at, c.due_at, c.state, c.overdue_seconds,
    left(coalesce(e.data ->> 'text', e.data ->> 'why'), 1000) AS text,
    count(*) OVER () AS total
FROM concerning c
JOIN (SELECT position, source, data FROM chain.events WHERE position IN (SELECT position FROM concerning WHERE kind = 'answer')) e
    ON e.position = c.position
WHERE c.kind = 'answer' AND NOT is_customer(c.owner)
    AND (is_customer(c.owed_to) OR is_customer(e.source) OR e.source = c.owner)
ORDER BY c.due_at NULLS LAST, c.position
LIMIT $limit
