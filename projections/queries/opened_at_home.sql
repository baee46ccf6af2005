-- Of some orders, those whose first fact is no opening, or one that says that the product stays at the customer's home.
SELECT position AS first_position
FROM events
WHERE position BETWEEN $begin AND $end
    AND position IN (SELECT unnest($orders::BIGINT[]))
    AND (fact IS DISTINCT FROM 'order.opened' OR coalesce(data ->> '$.at_home', '') = 'true')
