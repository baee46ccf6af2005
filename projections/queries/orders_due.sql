-- A page of orders, open ones first and of these what is due first; see orders_page.sql.
WITH due AS (
    -- By when the next step is owed, as ball.sql has it: news and the like count where nothing else is owed.
    SELECT
        first_position,
        CASE
            WHEN bool_or(kind NOT IN ('update', 'check'))
                THEN min(due_at) FILTER (state = 'open' AND kind NOT IN ('update', 'check'))
            ELSE min(due_at) FILTER (state = 'open')
        END AS due_at
    FROM commitments
    WHERE state IN ('open', 'paused')
    GROUP BY first_position
)
SELECT o.first_position
FROM orders o
LEFT JOIN due d ON d.first_position = o.first_position
WHERE ($open::BOOLEAN IS NULL OR o.open = $open)
    AND ($holder::VARCHAR IS NULL OR o.holder = $holder)
    AND ($status::VARCHAR IS NULL OR o.status = $status)
ORDER BY o.open DESC, CASE WHEN o.open THEN d.due_at END NULLS LAST, o.since DESC NULLS LAST, o.last_position DESC
LIMIT $limit OFFSET $offset
