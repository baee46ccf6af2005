-- Everyone who was ever named: what they said, on how many orders, and when.
WITH spoke AS (
    SELECT
        source AS party,
        count(*) AS facts,
        count(DISTINCT first_position) AS orders,
        min(occurred_at) AS first_seen,
        max(occurred_at) AS last_seen
    FROM facts
    GROUP BY source
),
named AS (
    SELECT to_party AS party, count(DISTINCT first_position) AS orders, min(handed_at) AS first_seen, max(handed_at) AS last_seen
    FROM handoffs
    WHERE to_party NOT IN (SELECT party FROM spoke)
    GROUP BY to_party
)
SELECT party, split_part(party, ':', 1) AS role, facts, orders, first_seen, last_seen FROM spoke
UNION ALL
SELECT party, split_part(party, ':', 1), 0, orders, first_seen, last_seen FROM named
