-- How much each party has said about each order, and when.
SELECT
    source AS party,
    first_position,
    any_value(order_id) AS order_id,
    count(*) AS facts,
    min(occurred_at) AS first_at,
    max(occurred_at) AS last_at
FROM facts
GROUP BY source, first_position
