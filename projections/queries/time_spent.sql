-- Who had orders for how long, in all and in opening hours of its own: from a handover on, the receiver; while the chain
-- waits for the customer, she; nobody once she has it back. The time of orders that are open runs until now. Of one order spending.py tells it.
WITH points AS (
    SELECT
        f.first_position, f.occurred_at AS moment, f.position,
        CASE f.fact
            WHEN 'item.handed_over' THEN f.party
            WHEN 'item.returned' THEN ''
            WHEN 'order.closed' THEN ''
            ELSE f.source
        END AS holder,
        0 AS waits
    FROM facts f
    WHERE f.fact IN ('order.opened', 'order.reopened', 'item.handed_over', 'item.received', 'item.returned', 'order.closed')
    UNION ALL
    SELECT first_position, unnest([opened_at, ended_at]), position, NULL, unnest([1, -1])
    FROM commitments
    WHERE starts_with(owner, 'customer')
),
spans AS (
    SELECT
        first_position,
        last_value(holder IGNORE NULLS) OVER so_far AS holder,
        sum(waits) OVER so_far > 0 AS waiting,
        moment AS begins,
        coalesce(lead(moment) OVER (PARTITION BY first_position ORDER BY moment, position), $now::TIMESTAMP) AS ends
    FROM points
    WHERE moment IS NOT NULL
    WINDOW so_far AS (PARTITION BY first_position ORDER BY moment, position ROWS UNBOUNDED PRECEDING)
),
had AS (
    SELECT
        first_position,
        CASE WHEN waiting THEN 'customer' ELSE holder END AS party,
        begins,
        ends
    FROM spans
    WHERE holder <> '' AND begins < ends
)
SELECT
    party,
    count(DISTINCT first_position) AS orders,
    sum((epoch_us(ends) - epoch_us(begins)) // 1000000)::BIGINT AS seconds,
    CASE WHEN party <> 'customer' THEN sum(worked_seconds(getvariable('book'), party, begins, ends))::BIGINT END AS working_seconds
FROM had
GROUP BY party
ORDER BY seconds DESC, party
