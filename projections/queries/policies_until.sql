-- The last position at which a policy was adopted or taken back; NULL if none ever was.
SELECT max(last_position) AS last_position FROM chain.subjects WHERE order_id = 'chain:policy'
