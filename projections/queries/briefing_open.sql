-- What is open and concerns one party: what it owes, and what anybody owes on orders for which it answers. The other
-- parts of its list read this.
CREATE TEMP TABLE concerning AS
SELECT
    position, first_position, kind, nullif(topic, '') AS topic, owner, owed_to, accountable, opened_at, due_at, level, paused_for,
    CASE WHEN state = 'open' AND due_at < $now::TIMESTAMP THEN 'overdue' ELSE state END AS state,
    CASE WHEN state = 'open' AND due_at < $now::TIMESTAMP
        THEN (epoch_us($now::TIMESTAMP) - epoch_us(due_at)) // 1000000
    END AS overdue_seconds
FROM commitments
WHERE state IN ('open', 'paused') AND (accountable = $party OR owner = $party)
