-- For every open order, the one commitment that is due first: whose move it is. News and the question whether all is well
-- are owed beside the work, and what is paused waits for another, so these come last.
WITH first_due AS (
    SELECT *
    FROM commitments
    WHERE state IN ('open', 'paused')
    QUALIFY row_number() OVER (
        PARTITION BY first_position
        ORDER BY kind IN ('update', 'check'), state = 'paused', due_at NULLS LAST, position, kind
    ) = 1
)
SELECT
    o.order_id AS "order", c.kind, nullif(c.topic, '') AS topic, c.owner, c.owed_to, c.opened_at, c.due_at,
    CASE WHEN c.state = 'open' AND c.due_at < $now::TIMESTAMP THEN 'overdue' ELSE c.state END AS state,
    CASE WHEN c.state = 'open' AND c.due_at < $now::TIMESTAMP
        THEN (epoch_us($now::TIMESTAMP) - epoch_us(c.due_at)) // 1000000
    END AS overdue_seconds,
    c.level, o.status, o.holder, o.accountable, o.ping_pongs AS bounces
FROM first_due c
JOIN orders o ON o.first_position = c.first_position
WHERE o.open
ORDER BY c.due_at NULLS LAST, o.order_id
LIMIT $limit
