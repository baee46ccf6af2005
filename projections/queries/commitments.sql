-- Commitments of all orders, of one owner or one kind if that is asked; their names are put beside them
-- (owed.py).
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
)
SELECT
    first_position, position, kind, nullif(topic, '') AS topic, owner, owed_to, accountable, counterpart, opened_at, due_at,
    CASE WHEN state = 'met' THEN ended_at END AS met_at,
    ended_at,
    standing AS state,
    paused_for,
    waits,
    CASE WHEN standing = 'overdue' THEN (epoch_us($now::TIMESTAMP) - epoch_us(due_at)) // 1000000 END AS overdue_seconds,
    coalesce(late, false) AS late,
    rule, level, nudged_at, withdrawn_at, promises, first_promised_at, promised_at, promised_by, allowed, worked
FROM chosen
WHERE ($states::VARCHAR[] IS NULL OR list_contains($states::VARCHAR[], standing))
    AND ($late::BOOLEAN IS NULL OR coalesce(late, false) = $late)
ORDER BY CASE WHEN standing IN ('open', 'overdue', 'paused') THEN 0 ELSE 1 END, due_at NULLS LAST, position, kind
LIMIT $limit
