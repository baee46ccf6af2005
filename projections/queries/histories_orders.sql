-- The orders with these ids, with where they stand as far as it matters for messages. Who asks by the id of an order that
-- became part of another (`asked`) is told of that one.
WITH wanted AS (
    SELECT order_id AS asked, order_id, first_position, until
    FROM chain.subjects
    WHERE order_key IN (SELECT hash(id) FROM (SELECT unnest($orders::VARCHAR[]) AS id))
        AND order_id IN (SELECT unnest($orders::VARCHAR[])) AND order_id <> ''
    UNION
    SELECT m.order_id, s.order_id, s.first_position, s.until
    FROM chain.merged m
    JOIN chain.subjects s ON s.first_position = m.first_position
    WHERE m.order_id IN (SELECT unnest($orders::VARCHAR[])) AND m.order_id <> m.survivor
)
SELECT
    s.asked, s.order_id, s.first_position, s.until, o.first_position IS NOT NULL AS is_order,
    o.status, o.open, o.holder, o.accountable, o.customer, o.opened_by, o.outcome, o.urgency, o.category, m.merged
FROM wanted s
LEFT JOIN orders o ON o.first_position = s.first_position
LEFT JOIN (
    SELECT first_position, list(order_id ORDER BY order_id) AS merged
    FROM chain.merged WHERE order_id <> survivor GROUP BY first_position
) m ON m.first_position = s.first_position
ORDER BY s.first_position, s.asked
