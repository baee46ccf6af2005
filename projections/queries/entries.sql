-- The events of one order as its story has them. The range of positions lets most of the log be skipped.
SELECT
    e.position, e.occurred_at, e.recorded_at, e.type, nullif(e.version, 0) AS version, e.source, e.id, e.data,
    e.fact IS NOT NULL AS known,
    v.why IS NOT NULL AS voided
FROM events e
LEFT JOIN voids v ON v.position = e.position AND v.first_position = $first
WHERE e.position BETWEEN $first AND $last
    AND e.first_position = $first
    AND ($as_of::TIMESTAMP IS NULL OR e.occurred_at <= $as_of)
    AND ($known_at::TIMESTAMP IS NULL OR e.recorded_at <= $known_at)
ORDER BY e.occurred_at, e.position
