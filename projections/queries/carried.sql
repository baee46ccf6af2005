-- The parcels of one order: handovers, and what carriers said, that count.
SELECT e.position, e.occurred_at, e.type, e.data
FROM events e
LEFT JOIN voids v ON v.position = e.position AND v.first_position = $first
WHERE e.position BETWEEN $first AND $last
    AND e.first_position = $first
    AND e.fact IN ('item.handed_over', 'item.tracked')
    AND v.position IS NULL
    AND ($as_of::TIMESTAMP IS NULL OR e.occurred_at <= $as_of)
    AND ($known_at::TIMESTAMP IS NULL OR e.recorded_at <= $known_at)
