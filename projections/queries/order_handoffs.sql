-- The handovers of one order, in no order: `stint` numbers them.
SELECT position, from_party, to_party, handed_at, NULL AS due, received_at, wait_seconds, state, ping_pong, stint
FROM handoffs
WHERE first_position = $first
