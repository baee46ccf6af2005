-- Some orders, in no order.
SELECT
    order_id, status, open, since, holder, heading_to, accountable, customer, opened_by, opened_at, closed_at, outcome, brand,
    model, serial, fault_text, urgency, category, next_step, next_owner, NULL AS next_due, last_told_at, last_told_kind, next_news_by, facts,
    handoffs, reopenings, ping_pongs, contacts_started, messages_sent, first_position, last_position
FROM orders
WHERE first_position IN (SELECT unnest($orders::BIGINT[]))
