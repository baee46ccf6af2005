-- What is to be said now of commitments: those whose next moment has come, and those that were said to be overdue and
-- were not.
WITH due AS (
    SELECT * FROM commitments
    WHERE next_at < $now::TIMESTAMP OR (disproved AND withdrawn_at IS NULL)
)
SELECT
    commitment_id(d.kind, e.order_id, e.source, e.id) AS commitment_id,
    e.order_id AS "order",
    d.kind, d.owner, d.owed_to, d.accountable, d.counterpart, d.opened_at, d.due_at, d.ended_at, d.state, d.level, d.promises,
    d.nudged_at IS NOT NULL AS nudged,
    d.next_at, o.category, o.urgency, d.rule
FROM due d
JOIN chain.events e ON e.position = d.position
LEFT JOIN orders o ON o.first_position = d.first_position
ORDER BY coalesce(d.next_at, d.ended_at), commitment_id
