-- Where each of these orders begins and ends in the mirror, and whether it announces anything.
SELECT
    order_id,
    min(position) AS first,
    max(position) AS last,
    coalesce(bool_or(fact IN ('party.closed', 'policy.adopted')), false) AS announces
FROM chain.events
WHERE position >= $begin AND first_position IN (SELECT unnest($firsts::BIGINT[]))
    AND order_id IN (SELECT unnest($orders::VARCHAR[]))
GROUP BY order_id
