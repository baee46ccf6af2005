-- The handovers of the orders whose first positions are given.
SELECT first_position, position, from_party, to_party, handed_at
FROM handoffs
WHERE first_position IN (SELECT unnest($firsts::BIGINT[]))
