-- The policy that holds: the last that was adopted.
SELECT position, adopted_at, digest, policy::VARCHAR AS policy
FROM policies
ORDER BY adopted_at DESC, position DESC
LIMIT 1
