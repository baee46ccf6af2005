-- The facts that open, meet or cancel what is owed (lanes.sql), in any order, with what their order says of itself.
SELECT
    f.first_position, f.position, f.occurred_at, f.fact, f.source, f.party, f.word, f.topic, f.by_when,
    o.accountable,
    o.customer IS NOT NULL AS has_customer,
    o.handoffs > 0 AS travels
FROM facts f
JOIN orders o ON o.first_position = f.first_position
WHERE f.fact IN (SELECT fact FROM lanes)
