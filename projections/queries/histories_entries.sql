-- The events of several orders, in no order. The range of positions lets most of the log be skipped.
SELECT first_position, position, occurred_at, recorded_at, type, version, source, id, data, fact, aside
FROM chain.events
WHERE position BETWEEN $begin AND $end AND first_position IN (SELECT unnest($firsts::BIGINT[]))
