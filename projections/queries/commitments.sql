-- Commitments of all orders, of one owner or one kind if that is asked, with the names that they have for ever.
-- `overdue` and `met_late` are states of the moment of asking.
WITH chosen AS (
    SELECT
        *,
        CASE
            WHEN state = 'open' AND due_at < $now::TIMESTAMP THEN 'overdue'
            WHEN state = 'met' AND met_late THEN 'met_late'
            ELSE state
        END AS standing,
        -- It was not met by its due time, whatever became of it.
        met_late OR (state <> 'met' AND coalesce(ended_at, $now::TIMESTAMP) > due_at) AS late
    FROM commitments
    WHERE ($owner::VARCHAR IS NULL OR owner = $owner OR ($owner = 'customer' AND starts_with(owner, 'customer:')))
        AND ($kind::VARCHAR IS NULL OR kind = $kind)
        AND ($promised::BOOLEAN IS NULL OR (promised_at IS NOT NULL) = $promised)
),
listed AS (
    SELECT * FROM chosen
    WHERE ($states::VARCHAR[] IS NULL OR list_contains($states::VARCHAR[], standing))
        AND ($late::BOOLEAN IS NULL OR coalesce(late, false) = $late)
    ORDER BY CASE WHEN standing IN ('open', 'overdue', 'paused') THEN 0 ELSE 1 END, due_at NULLS LAST, position, kind
    LIMIT $limit
)
SELECT
    commitment_id(l.kind, e.order_id, e.source, e.id) AS commitment_id,
    coalesce(m.survivor, e.order_id) AS "order",
    l.kind, nullif(l.topic, '') AS topic, l.owner, l.owed_to, l.accountable, l.counterpart,
    l.opened_at, l.due_at,
    CASE WHEN l.state = 'met' THEN l.ended_at END AS met_at,
    l.ended_at,
    l.standing AS state,
    CASE WHEN l.standing = 'overdue' THEN (epoch_us($now::TIMESTAMP) - epoch_us(l.due_at)) // 1000000 END AS overdue_seconds,
    coalesce(l.late, false) AS late,
    l.rule, l.level, l.nudged_at, l.withdrawn_at,
    l.promises, l.first_promised_at, l.promised_at, l.promised_by, l.allowed, l.worked
FROM listed l
JOIN chain.events e ON e.position = l.position
LEFT JOIN merged m ON m.order_id = e.order_id
ORDER BY CASE WHEN l.standing IN ('open', 'overdue', 'paused') THEN 0 ELSE 1 END, l.due_at NULLS LAST, l.position, l.kind
