-- What is to be said now of commitments: those whose next moment has come, and those that were said to be overdue and
-- were not.
-- Both are few among millions. Each is looked for by itself (OR over two columns keeps DuckDB from filtering in the
-- scan), by row number first, so that the other columns are read of these rows alone.
WITH due AS MATERIALIZED (
    SELECT * FROM commitments
    WHERE rowid IN (
        SELECT rowid FROM commitments WHERE next_at < $now::TIMESTAMP
        UNION ALL
        -- Disproved ones have ended, and have no next moment.
        SELECT rowid FROM commitments WHERE disproved AND withdrawn_at IS NULL
    )
)
SELECT
    commitment_id(d.kind, coalesce(a.order_id, s.order_id), e.source, e.id) AS commitment_id,
    s.order_id AS "order",
    d.kind, d.owner, d.owed_to, d.accountable, d.counterpart, d.opened_at, d.due_at, d.ended_at, d.state, d.level, d.promises,
    d.nudged_at IS NOT NULL AS nudged,
    d.next_at, o.category, o.urgency, d.rule
FROM due d
-- The name of the order from `subjects`: of `events` it is the dearest column.
JOIN (SELECT position, source, id FROM chain.events WHERE position IN (SELECT position FROM due)) e ON e.position = d.position
JOIN (
    SELECT first_position, order_id FROM chain.subjects WHERE first_position IN (SELECT first_position FROM due)
) s ON s.first_position = d.first_position
-- Of an order that became part of another, commitments keep their names.
LEFT JOIN (
    SELECT position, order_id FROM chain.events
    WHERE aside AND position IN (SELECT position FROM due JOIN chain.merged USING (first_position))
) a ON a.position = d.position
LEFT JOIN (
    SELECT first_position, category, urgency FROM orders WHERE first_position IN (SELECT first_position FROM due)
) o ON o.first_position = d.first_position
ORDER BY coalesce(d.next_at, d.ended_at), commitment_id
