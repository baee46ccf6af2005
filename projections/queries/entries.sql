-- The events of one order, in no order. The range of positions lets most of the log be skipped.
SELECT position, occurred_at, recorded_at, type, version, source, id, data, fact, party, aside
FROM events
WHERE position BETWEEN $first AND $last AND first_position = $first
