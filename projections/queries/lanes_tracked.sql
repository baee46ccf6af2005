-- Handovers that wait for their receipt, in orders of which a carrier has said something.
SELECT h.from_party, h.to_party, h.position, s.order_id AS "order"
FROM handoffs h
JOIN chain.subjects s ON s.first_position = h.first_position
WHERE h.state = 'open'
    AND h.first_position IN (SELECT first_position FROM chain.events WHERE fact = 'item.tracked')
    AND ($from_party::VARCHAR IS NULL OR from_party = $from_party) AND ($to_party::VARCHAR IS NULL OR to_party = $to_party)
ORDER BY h.position
