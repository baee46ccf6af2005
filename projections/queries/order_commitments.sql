SELECT
    commitment_id(c.kind, c.order_id, e.source, e.id) AS commitment_id,
    c.kind, c.owed_by, c.owed_to, c.accountable, c.since, c.due, c.state, c.settled_at, c.met_late, c.overdue_level
FROM commitments c
JOIN chain.events e ON e.position = c.position AND e.position BETWEEN $first AND $last AND e.first_position = $first
WHERE c.first_position = $first
ORDER BY c.since, c.position, c.kind
