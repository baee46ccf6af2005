-- How the products of some orders were described when these were taken in; what was said last counts.
WITH opened AS (
    SELECT first_position, position, occurred_at
    FROM facts
    WHERE fact = 'order.opened' AND first_position IN (SELECT unnest($orders::BIGINT[]))
)
SELECT o.first_position, arg_max(e.data ->> '$.product.description', (o.occurred_at, o.position)) AS description
FROM opened o
JOIN (SELECT position, data FROM chain.events WHERE position IN (SELECT position FROM opened)) e ON e.position = o.position
WHERE e.data ->> '$.product.description' <> ''
GROUP BY o.first_position
