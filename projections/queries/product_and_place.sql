-- How the products of some orders were described when these were taken in (what was said last counts), and whether a
-- product stays at its customer's home: an opening says so, or a visit is planned there, and it was never handed over,
-- received or given back. The range of positions lets most of the log be skipped.
WITH said AS (
    SELECT first_position, position, occurred_at, fact
    FROM facts
    WHERE fact IN ('order.opened', 'visit.scheduled', 'item.handed_over', 'item.received', 'item.returned')
        AND position BETWEEN $begin AND $end
        AND first_position IN (SELECT unnest($orders::BIGINT[]))
),
openings AS (
    SELECT position, nullif(data ->> '$.product.description', '') AS description, data ->> '$.at_home' AS at_home
    FROM chain.events
    WHERE position IN (SELECT position FROM said WHERE fact = 'order.opened')
)
SELECT
    s.first_position,
    arg_max(o.description, (s.occurred_at, s.position)) FILTER (o.description IS NOT NULL) AS description,
    bool_or(s.fact = 'visit.scheduled' OR coalesce(o.at_home, '') = 'true') AND NOT bool_or(starts_with(s.fact, 'item.')) AS at_home
FROM said s
LEFT JOIN openings o ON o.position = s.position
GROUP BY s.first_position
