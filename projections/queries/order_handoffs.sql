SELECT position, from_party, to_party, handed_at, due, received_at, wait_seconds, state, ping_pong
FROM handoffs
WHERE first_position = $first
ORDER BY stint
