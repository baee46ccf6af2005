-- The policy that holds: the last that was adopted; and the last position at which any was, or was taken back.
SELECT
    position, adopted_at, digest, policy::VARCHAR AS policy,
    (
        SELECT max(e.position)
        FROM chain.events e
        JOIN chain.subjects s ON s.first_position = e.first_position
        WHERE s.order_id = 'chain:policy' AND s.order_key = hash('chain:policy')
    ) AS last_position
FROM policies
ORDER BY adopted_at DESC, position DESC
LIMIT 1
