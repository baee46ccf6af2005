SELECT
    h.position, h.from_party, h.to_party, h.handed_at, c.due_at AS due, h.received_at, h.wait_seconds, h.state, h.ping_pong
FROM handoffs h
LEFT JOIN commitments c ON c.first_position = $first AND c.position = h.position AND c.kind = 'receive'
WHERE h.first_position = $first
ORDER BY h.stint
