-- The policy that holds: the last that was adopted; and the last position at which any was, or was taken back.
SELECT
    position, adopted_at, digest, policy::VARCHAR AS policy,
    (SELECT max(last_position) FROM chain.subjects WHERE order_id = 'chain:policy') AS last_position
FROM policies
ORDER BY adopted_at DESC, position DESC
LIMIT 1
