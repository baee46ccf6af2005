-- When the chain waited for her, and when it was being decided who pays, of each order: beginnings and ends one after the
-- other, the last end open if it does still.
WITH waits AS (
    SELECT
        first_position, position, opened_at,
        coalesce(ended_at, TIMESTAMP '9999-01-01') AS until,
        state = 'open' AS goes_on,
        kind = 'cover' AS decides
    FROM expected
    WHERE kind = 'cover' OR (kind IN ('decide', 'answer') AND (named = 'customer' OR starts_with(named, 'customer:')))
)
SELECT
    first_position,
    list(opened_at ORDER BY opened_at, position) FILTER (NOT decides) AS waits_from,
    list(until ORDER BY opened_at, position) FILTER (NOT decides) AS waits_until,
    count_if(goes_on AND NOT decides) > 0 AS is_waiting,
    list(opened_at ORDER BY opened_at, position) FILTER (decides) AS decides_from,
    list(until ORDER BY opened_at, position) FILTER (decides) AS decides_until,
    count_if(goes_on AND decides) > 0 AS is_deciding
FROM waits
GROUP BY first_position
