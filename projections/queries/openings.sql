-- What opened commitments: their names are made of it. `aside` is what was said of an id that became part of another order.
SELECT position, order_id, source, id, aside
FROM events
WHERE position IN (SELECT unnest($positions::BIGINT[]))
