-- Open commitments whose due time has passed, with the names that they have for ever.
WITH overdue AS (
    SELECT * FROM commitments WHERE state = 'open' AND due < $now
)
SELECT
    commitment_id(o.kind, e.order_id, e.source, e.id) AS commitment_id,
    o.kind, e.order_id, o.owed_by, o.owed_to, o.accountable, o.since, o.due,
    (epoch_us($now::TIMESTAMP) - epoch_us(o.due)) // 1000000 AS overdue_seconds,
    o.overdue_level
FROM overdue o
JOIN chain.events e ON e.position = o.position
ORDER BY o.due, commitment_id
