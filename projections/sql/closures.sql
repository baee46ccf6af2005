-- Closures that a party announced. The event's subject is the party.
SELECT
    position,
    first_position,
    order_id,
    order_id AS party,
    -- What is announced afterwards excuses nothing that had fallen due before.
    greatest(from_when, occurred_at) AS closed_from,
    by_when AS closed_until,
    occurred_at AS announced_at
FROM facts
WHERE fact = 'party.closed' AND greatest(from_when, occurred_at) < by_when
