SELECT
    order_id, status, open, since, holder, heading_to, accountable, customer, opened_by, opened_at, closed_at, outcome,
    brand, model, serial, fault_text, urgency, next_step, next_owner, next_due, last_told_at, last_told_kind, next_news_by,
    facts, handoffs, reopenings, ping_pongs, contacts_started, messages_sent, first_position, last_position
FROM orders
WHERE ($open::BOOLEAN IS NULL OR open = $open)
    AND ($holder::VARCHAR IS NULL OR holder = $holder)
    AND ($status::VARCHAR IS NULL OR status = $status)
ORDER BY last_position DESC
LIMIT $limit OFFSET $offset
