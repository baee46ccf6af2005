-- What a party owes on orders for which others answer, and is not late with.
SELECT first_position, kind, topic, is_customer(owed_to) AS to_customer, accountable, opened_at, due_at, state, paused_for,
    count(*) OVER () AS total
FROM concerning
WHERE owner = $party AND accountable IS DISTINCT FROM $party AND state <> 'overdue'
ORDER BY due_at NULLS LAST, position, kind
LIMIT $limit
