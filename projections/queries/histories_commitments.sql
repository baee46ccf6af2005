-- What is and was owed in several orders, in no order.
SELECT
    first_position, position, kind, topic, owner, owed_to, accountable, opened_at, due_at, ended_at, state, paused_for, met_late,
    rule, level, nudged_at, withdrawn_at, promises, first_promised_at, promised_at, promised_by
FROM commitments
WHERE first_position IN (SELECT unnest($firsts::BIGINT[]))
