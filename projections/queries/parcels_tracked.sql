-- What carriers have said of these orders: the ids of the facts.
SELECT e.id
FROM chain.events e
WHERE e.fact = 'item.tracked'
    AND e.position >= (SELECT min(unnest) FROM unnest($firsts::BIGINT[]))
    AND e.first_position IN (SELECT unnest($firsts::BIGINT[]))
