-- A page of orders, open ones first: as `sort` says, what moved last on top, what is due first, or what has not moved for
-- longest. What is closed comes after these, the latest close first.
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
    WHERE $sort = 'due' AND state IN ('open', 'paused')
    GROUP BY first_position
),
page AS (
    -- The keys alone: to sort whole rows takes longer than to look them up.
    SELECT
        o.first_position,
        CASE WHEN o.open THEN d.due_at END AS sort_due,
        CASE WHEN o.open AND $sort = 'waiting' THEN o.since END AS sort_since
    FROM orders o
    LEFT JOIN due d ON d.first_position = o.first_position
    WHERE ($open::BOOLEAN IS NULL OR o.open = $open)
        AND ($holder::VARCHAR IS NULL OR o.holder = $holder)
        AND ($status::VARCHAR IS NULL OR o.status = $status)
    ORDER BY o.open DESC, sort_due NULLS LAST, sort_since NULLS LAST, o.since DESC NULLS LAST, o.last_position DESC
    LIMIT $limit OFFSET $offset
)
SELECT
    o.order_id, o.status, o.open, o.since, o.holder, o.heading_to, o.accountable, o.customer, o.opened_by, o.opened_at,
    o.closed_at, o.outcome, o.brand, o.model, o.serial, o.fault_text, o.urgency, o.category, o.next_step, o.next_owner,
    d.next_due, o.last_told_at, o.last_told_kind, o.next_news_by, o.facts, o.handoffs, o.reopenings, o.ping_pongs,
    o.contacts_started, o.messages_sent, o.first_position, o.last_position
FROM page p
JOIN orders o ON o.first_position = p.first_position
LEFT JOIN (
    -- By when whoever owes the next step owes it; news, answers and the like are owed beside the work.
    SELECT first_position, split_part(owner, ':', 1) = 'customer' AS hers, owner, min(due_at) AS next_due
    FROM commitments
    WHERE state = 'open'
        AND (kind IN ('receive', 'forward', 'diagnose', 'decide', 'part', 'repair', 'return')
            OR (kind = 'answer' AND starts_with(owner, 'customer'))) AND first_position IN (SELECT first_position FROM page)
    GROUP BY ALL
) d
    ON d.first_position = o.first_position AND (d.owner = o.next_owner OR (d.hers AND o.next_owner = 'customer'))
ORDER BY o.open DESC, p.sort_due NULLS LAST, p.sort_since NULLS LAST, o.since DESC NULLS LAST, o.last_position DESC
