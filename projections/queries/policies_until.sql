-- The last position at which a policy was adopted or taken back; NULL if none ever was.
SELECT max(e.position) AS last_position
FROM chain.events e
JOIN chain.subjects s ON s.first_position = e.first_position
WHERE s.order_id = 'chain:policy' AND s.order_key = hash('chain:policy')
