-- Announced closures; the reason is in the log.
SELECT c.party, c.closed_from AS "from", c.closed_until AS until, e.data ->> 'reason' AS reason
FROM closures c
LEFT JOIN chain.events e ON e.position = c.position
ORDER BY c.party, c.closed_from, c.position
