-- The parties that have something to look after: open orders for which they answer, or something that is late; and the
-- days whose lists they were given lately. Lists are looked for in the newest facts alone.
WITH answers_for AS (
    SELECT accountable AS party, count(*) AS open
    FROM orders
    WHERE open AND accountable IS NOT NULL
    GROUP BY accountable
),
late AS (
    SELECT owner, accountable FROM commitments WHERE state = 'open' AND due_at < $now::TIMESTAMP
),
concerned AS (
    SELECT party, count(*) AS overdue
    FROM (
        SELECT owner AS party FROM late
        UNION ALL
        SELECT accountable FROM late WHERE accountable IS DISTINCT FROM owner
    )
    GROUP BY party
),
given AS (
    SELECT order_id AS party, list(data ->> 'day') AS days
    FROM chain.events
    WHERE fact = 'party.briefed' AND recorded_at >= $recently::TIMESTAMP
    GROUP BY order_id
)
SELECT party, coalesce(a.open, 0) AS open, coalesce(c.overdue, 0) AS overdue, coalesce(g.days, []) AS days
FROM answers_for a
FULL JOIN concerned c USING (party)
LEFT JOIN given g USING (party)
WHERE split_part(party, ':', 1) IN ('retailer', 'importer', 'repairer')
ORDER BY party
