SELECT
    o.order_id, o.status, o.open, o.since, o.holder, o.heading_to, o.accountable, o.customer, o.opened_by, o.opened_at,
    o.closed_at, o.outcome, o.brand, o.model, o.serial, o.fault_text, o.urgency, o.category, o.next_step, o.next_owner,
    NULL AS next_due, o.last_told_at, o.last_told_kind, o.next_news_by, o.facts, o.handoffs, o.reopenings, o.ping_pongs,
    o.contacts_started, o.messages_sent, o.first_position, o.last_position
FROM orders o
WHERE o.first_position = $first
