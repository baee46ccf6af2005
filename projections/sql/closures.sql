-- Closures that a party announced. The event's subject is the party.
SELECT
    position,
    first_position,
    order_id,
    order_id AS party,
    from_when AS closed_from,
    until_when AS closed_until,
    occurred_at AS announced_at
FROM facts
WHERE fact = 'party.closed' AND from_when < until_when
