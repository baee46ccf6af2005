-- Closures that a party announced. The event's subject is the party.
SELECT
    position,
    first_position,
    order_id,
    order_id AS party,
    said."from"::TIMESTAMP AS closed_from,
    said.until::TIMESTAMP AS closed_until,
    occurred_at AS announced_at
FROM facts
WHERE fact = 'party.closed' AND said."from" < said.until
