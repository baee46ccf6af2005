-- How much each party has said about each order, and when.
SELECT
    source AS party,
    first_position,
    count(*) AS facts,
    min(occurred_at) AS first_at,
    max(occurred_at) AS last_at
FROM facts
GROUP BY source, first_position
