SELECT c.contacted_at, c.party, e.data ->> 'channel' AS channel, c.direction, e.data ->> 'summary' AS summary
FROM contacts c
JOIN chain.events e ON e.position = c.position AND e.position BETWEEN $first AND $last AND e.first_position = $first
WHERE c.first_position = $first AND c.position BETWEEN $first AND $last
ORDER BY c.contacted_at, c.position
