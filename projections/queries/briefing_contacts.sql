-- Contacts that customers started, on orders for which the party answers, as they became known since then. What comes
-- from an old log is no contact of these days.
SELECT
    e.first_position, e.occurred_at AS contacted_at, e.source AS party,
    e.data ->> 'channel' AS channel,
    left(coalesce(e.data ->> 'summary', e.data ->> 'text'), 1000) AS text,
    count(*) OVER () AS total
FROM chain.events e
ANTI JOIN voids v ON v.position = e.position
JOIN orders o ON o.first_position = e.first_position AND o.accountable = $party
WHERE e.recorded_at >= $since::TIMESTAMP
    AND e.occurred_at >= $since::TIMESTAMP - INTERVAL 7 DAY AND e.occurred_at <= $now::TIMESTAMP
    AND e.version <> 0
    AND ((e.fact = 'customer.contacted' AND e.word = 'inbound') OR (e.fact = 'question.asked' AND is_customer(e.source)))
ORDER BY e.occurred_at DESC, e.position DESC
LIMIT $limit
