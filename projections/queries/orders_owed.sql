-- What is owed in some orders, in no order.
SELECT first_position, position, kind, topic, owner, owed_to, opened_at, due_at, state, level
FROM commitments
WHERE state IN ('open', 'paused') AND first_position IN (SELECT unnest($orders::BIGINT[]))
