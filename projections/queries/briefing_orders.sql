-- The open orders for which a party answers, and whose move each is (see ball.sql), what is due first to begin with.
WITH first_due AS (
    SELECT *
    FROM concerning
    WHERE accountable = $party
    QUALIFY row_number() OVER (
        PARTITION BY first_position
        ORDER BY kind IN ('update', 'check'), state = 'paused', due_at NULLS LAST, position, kind
    ) = 1
)
SELECT
    o.first_position, o.status, o.since, o.holder, f.kind, f.topic, f.owner, is_customer(f.owed_to) AS to_customer, f.opened_at, f.due_at, f.state,
    f.overdue_seconds,
    -- Nothing is owed any more of what she has: the close is still to be said.
    f.kind IS NULL AND o.status IN ('returned', 'repaired') AS to_close,
    count(*) OVER () AS total
FROM orders o
LEFT JOIN first_due f ON f.first_position = o.first_position
WHERE o.open AND o.accountable = $party
ORDER BY f.due_at NULLS LAST, o.first_position
LIMIT $limit
