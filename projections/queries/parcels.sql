-- Handovers that count, by the number of the parcel as services/carriers writes it: in capitals, without spaces and
-- hyphens. Rows are skipped by when they were recorded, since that goes with the position.
WITH handed AS (
    SELECT
        e.position, e.first_position, e.id, e.occurred_at,
        upper(regexp_replace(e.data ->> '$.tracking_number', '[ \t-]', '', 'g')) AS number
    FROM chain.events e
    WHERE e.fact = 'item.handed_over'
        AND e.recorded_at >= $since
        AND contains(e.data, '"tracking_number"')
        AND e.position NOT IN (SELECT position FROM chain.voids)
)
SELECT h.number, s.order_id AS "order", h.first_position, h.id, h.occurred_at AS handed_at
FROM handed h
JOIN chain.subjects s ON s.first_position = h.first_position
WHERE h.number IN (SELECT unnest($numbers::VARCHAR[]))
ORDER BY h.position
