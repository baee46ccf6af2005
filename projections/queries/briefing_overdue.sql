-- What is late, the longest first, whoever owes it.
SELECT
    first_position, kind, topic, owner, is_customer(owed_to) AS to_customer, accountable, opened_at, due_at, state, overdue_seconds, level,
    count(*) OVER () AS total
FROM concerning
WHERE state = 'overdue'
ORDER BY due_at, position, kind
LIMIT $limit
