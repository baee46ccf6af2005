SELECT position, kind, owed_by, owed_to, accountable, since, due, state, settled_at, met_late, overdue_level
FROM commitments
WHERE first_position = $first
ORDER BY since, position, kind
