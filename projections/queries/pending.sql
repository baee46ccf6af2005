-- Messages that are planned and have no outcome yet, the oldest first, from the one planned after a position.
SELECT m.message_id, s.order_id AS "order", m.kind, m.planned_at, m.planned_position AS position
FROM messages m
JOIN chain.subjects s ON s.first_position = m.first_position
WHERE m.status = 'planned' AND m.planned_position > $after
ORDER BY m.planned_position
LIMIT $limit
