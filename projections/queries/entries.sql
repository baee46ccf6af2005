-- The events of one order, in no order. The range of positions lets most of the log be skipped. `counted` is the fact
-- where it can be read; whether it counts is for voids.sql to say. `aside` is what was said of an id that became part of
-- the order.
SELECT
    position, occurred_at, recorded_at, type, nullif(version, 0) AS version, source, id, data, fact IS NOT NULL AS known,
    CASE WHEN version IS DISTINCT FROM 0 THEN fact END AS counted, party, name, aside
FROM events
WHERE position BETWEEN $first AND $last
    AND first_position = $first
    AND ($as_of::TIMESTAMP IS NULL OR occurred_at <= $as_of)
    AND ($known_at::TIMESTAMP IS NULL OR recorded_at <= $known_at)
