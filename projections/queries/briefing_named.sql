-- What orders are called, for a party: the chain's id, its own number for it, and the product.
SELECT
    s.first_position, s.order_id AS "order", n.reference, nullif(concat_ws(' ', o.brand, o.model), '') AS product,
    o.brand, o.model, o.last_position, o.handoffs
FROM chain.subjects s
LEFT JOIN orders o ON o.first_position = s.first_position
LEFT JOIN (
    SELECT first_position, min(name) AS reference
    FROM names
    WHERE kind = 'reference' AND party = $party AND first_position IN (SELECT unnest($orders::BIGINT[]))
    GROUP BY first_position
) n ON n.first_position = s.first_position
WHERE s.first_position IN (SELECT unnest($orders::BIGINT[]))
