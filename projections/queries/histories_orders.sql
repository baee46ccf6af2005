-- The orders with these ids, with where they stand as far as it matters for messages.
SELECT
    s.order_id, s.first_position, s.last_position, o.first_position IS NOT NULL AS is_order,
    o.status, o.open, o.holder, o.accountable, o.customer, o.opened_by, o.outcome, o.urgency, o.category
FROM chain.subjects s
LEFT JOIN orders o ON o.first_position = s.first_position
WHERE s.order_key IN (SELECT hash(id) FROM (SELECT unnest($orders::VARCHAR[]) AS id))
    AND s.order_id IN (SELECT unnest($orders::VARCHAR[])) AND s.order_id <> ''
ORDER BY s.first_position
