SELECT
    o.order_id, o.status, o.open, o.since, o.holder, o.heading_to, o.accountable, o.customer, o.opened_by, o.opened_at,
    o.closed_at, o.outcome, o.brand, o.model, o.serial, o.fault_text, o.urgency, o.category, o.next_step, o.next_owner,
    d.next_due, o.last_told_at, o.last_told_kind, o.next_news_by, o.facts, o.handoffs, o.reopenings, o.ping_pongs,
    o.contacts_started, o.messages_sent, o.first_position, o.last_position
FROM orders o
LEFT JOIN (
    -- By when whoever owes the next step owes it; news, answers and the like are owed beside the work.
    SELECT first_position, split_part(owner, ':', 1) = 'customer' AS hers, owner, min(due_at) AS next_due
    FROM commitments
    WHERE state = 'open'
        AND (kind IN ('receive', 'forward', 'diagnose', 'decide', 'part', 'repair', 'return')
            OR (kind = 'answer' AND starts_with(owner, 'customer'))) AND first_position = $first
    GROUP BY ALL
) d
    ON d.first_position = o.first_position AND (d.owner = o.next_owner OR (d.hers AND o.next_owner = 'customer'))
WHERE o.first_position = $first
