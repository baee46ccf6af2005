-- The events of several orders as their stories have them. The range of positions lets most of the log be skipped.
SELECT
    e.first_position, e.position, e.occurred_at, e.recorded_at, e.type, nullif(e.version, 0) AS version, e.source, e.id, e.data,
    e.fact IS NOT NULL AS known,
    v.why IS NOT NULL AS voided
FROM chain.events e
LEFT JOIN voids v ON v.position = e.position
WHERE e.position BETWEEN $begin AND $end
    AND e.first_position IN (SELECT unnest($firsts::BIGINT[]))
ORDER BY e.first_position, e.occurred_at, e.position
