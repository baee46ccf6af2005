SELECT c.contacted_at, c.party, c.channel, c.direction, e.data ->> 'summary' AS summary
FROM contacts c
LEFT JOIN chain.events e
    ON e.position = c.position AND e.position BETWEEN $first AND $last AND e.first_position = $first
WHERE c.first_position = $first
ORDER BY c.contacted_at, c.position
