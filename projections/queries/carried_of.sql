-- The parcels of several orders, by the ids under which they go on: handovers that name one, and what carriers said.
-- Facts that name a parcel are few in most chains, so they are chosen before anything is joined.
WITH chosen AS (
    SELECT first_position, order_id FROM chain.subjects WHERE order_id IN (SELECT unnest($orders::VARCHAR[]))
)
SELECT c.order_id AS "order", e.position, e.occurred_at, e.fact AS type, e.data
FROM chain.events e
JOIN chosen c ON c.first_position = e.first_position
WHERE e.fact IN ('item.handed_over', 'item.tracked')
    AND e.position >= (SELECT min(first_position) FROM chosen)
    AND contains(e.data, '"tracking_number"')
    AND e.position NOT IN (SELECT position FROM voids)
    AND ($as_of::TIMESTAMP IS NULL OR e.occurred_at <= $as_of)
    AND ($known_at::TIMESTAMP IS NULL OR e.recorded_at <= $known_at)
ORDER BY e.position
