-- Closures that a party announced. The event's subject is the party.
SELECT
    f.position,
    f.first_position,
    s.order_id AS party,
    -- What is announced afterwards excuses nothing that had fallen due before.
    greatest(f.from_when, f.occurred_at) AS closed_from,
    f.by_when AS closed_until,
    f.occurred_at AS announced_at
FROM facts f
JOIN subjects s ON s.first_position = f.first_position
WHERE f.fact = 'party.closed' AND greatest(f.from_when, f.occurred_at) < f.by_when
