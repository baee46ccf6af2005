-- When the chain waited for her, of each order: beginnings and ends one after the other, the last end open if it does.
SELECT
    first_position,
    list(opened_at ORDER BY opened_at, position) AS waits_from,
    list(coalesce(ended_at, TIMESTAMP '9999-01-01') ORDER BY opened_at, position) AS waits_until,
    count_if(state = 'open') > 0 AS is_waiting
FROM expected
WHERE kind IN ('decide', 'answer') AND (named = 'customer' OR starts_with(named, 'customer:'))
GROUP BY first_position
