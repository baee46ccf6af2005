-- The facts that open, meet or cancel what is owed (lanes.sql), order by order as they happened, with what their order says:
-- matching.py reads them in this order.
SELECT
    f.first_position, f.position, f.fact, f.source, f.party, f.word, f.topic, f.by_when, f.occurred_at,
    o.accountable,
    customer_party(o.customer) AS customer,
    o.handoffs > 0 AS travels
FROM facts f
JOIN orders o ON o.first_position = f.first_position
WHERE f.fact IN (SELECT fact FROM lanes)
ORDER BY f.first_position, f.story
