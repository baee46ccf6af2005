-- As lanes.sql, of all lanes together.
SELECT
    count(*) AS count,
    count(*) FILTER (WHERE state = 'received') AS received,
    count(*) FILTER (WHERE state IN ('superseded', 'closed')) AS never_received,
    count(*) FILTER (WHERE state = 'open') AS waiting,
    wait_at(wait_seconds, 0.5) AS wait_p50,
    wait_at(wait_seconds, 0.9) AS wait_p90,
    wait_at(wait_seconds, 0.99) AS wait_p99
FROM handoffs
WHERE ($from_party::VARCHAR IS NULL OR from_party = $from_party) AND ($to_party::VARCHAR IS NULL OR to_party = $to_party)
