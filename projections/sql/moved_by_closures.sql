-- The orders that are not in `touched`, with a commitment of a party whose announced closures are not what they were, if one
-- of the changed closures lies between the commitment's start and the last moment that was counted for it so far.
WITH before AS (
    SELECT party, closed_from, closed_until
    FROM chain.closures
    WHERE first_position IN (SELECT first_position FROM touched)
),
now AS (
    SELECT party, closed_from, closed_until FROM closures
),
changed AS (
    (FROM before EXCEPT FROM now)
    UNION ALL
    (FROM now EXCEPT FROM before)
),
moved AS (
    SELECT DISTINCT c.first_position
    FROM chain.commitments c
    JOIN changed x
        ON x.party = c.owner AND least(c.opened_at, c.due_at) < x.closed_until
            -- What is paused has no due time yet. greatest() passes over NULL.
            AND greatest(c.due_at, c.ended_at, c.next_at, CASE WHEN c.due_at IS NULL THEN x.closed_until END) > x.closed_from
)
SELECT s.order_id, s.order_key, s.first_position, s.until, s.announces
FROM moved m
JOIN chain.subjects s ON s.first_position = m.first_position
WHERE m.first_position NOT IN (SELECT first_position FROM touched)
