-- What is owed on one order, that which comes next first: news and the question whether all is well are owed beside the
-- work, and what is paused waits for another, so these come last (as in ball.sql).
SELECT
    kind, nullif(topic, '') AS topic, owner, owed_to, opened_at, due_at,
    CASE WHEN state = 'open' AND due_at < $now::TIMESTAMP THEN 'overdue' ELSE state END AS state,
    CASE WHEN state = 'open' AND due_at < $now::TIMESTAMP
        THEN (epoch_us($now::TIMESTAMP) - epoch_us(due_at)) // 1000000
    END AS overdue_seconds,
    level
FROM commitments
WHERE state IN ('open', 'paused') AND first_position = $first
ORDER BY kind IN ('update', 'check'), state = 'paused', due_at NULLS LAST, position, kind
