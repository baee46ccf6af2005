-- The figures of the chain, in one row. Waits and answers in seconds.
WITH handed AS (
    SELECT
        count(*) AS handoffs,
        count(*) FILTER (WHERE state = 'received') AS handoffs_received,
        count(*) FILTER (WHERE state IN ('superseded', 'closed')) AS handoffs_never_received,
        wait_at(wait_seconds, 0.5) AS wait_p50,
        wait_at(wait_seconds, 0.9) AS wait_p90,
        wait_at(wait_seconds, 0.99) AS wait_p99
    FROM handoffs
),
worked_on AS (
    SELECT
        count(*) AS orders,
        count(*) FILTER (WHERE open) AS open_orders,
        count(*) FILTER (WHERE reopenings > 0) AS reopened_orders,
        coalesce(sum(reopenings), 0)::BIGINT AS reopenings,
        count(*) FILTER (WHERE ping_pongs > 0) AS ping_pong_orders,
        coalesce(sum(contacts_started), 0)::BIGINT AS customer_contacts,
        count(*) FILTER (WHERE contacts_started > 0) AS orders_with_contacts,
        count(*) FILTER (WHERE customer IS NOT NULL) AS orders_with_customer,
        -- Those of an imported order, whose customer nobody knows, would make many of few.
        sum(contacts_started) FILTER (WHERE customer IS NOT NULL) AS contacts_of_customers,
        wait_at(seconds_between(first_asked_at, first_message_at), 0.5) AS first_message_p50,
        wait_at(seconds_between(first_asked_at, first_message_at), 0.9) AS first_message_p90,
        wait_at(seconds_between(first_asked_at, first_answer_at), 0.5) AS first_answer_p50,
        wait_at(seconds_between(first_asked_at, first_answer_at), 0.9) AS first_answer_p90
    FROM orders
),
owed AS (
    SELECT
        count(*) FILTER (WHERE state IN ('open', 'paused')) AS commitments_open,
        count(*) FILTER (WHERE level > 0) AS commitments_overdue_noted
    FROM commitments
)
SELECT
    -- A fact that was said twice is one fact.
    (SELECT count(*) FROM chain.events) - (SELECT count(*) FROM voids WHERE why = 'duplicate') AS facts,
    w.orders, w.open_orders, w.reopened_orders, w.reopenings,
    h.handoffs, h.handoffs_received, h.handoffs_never_received,
    w.ping_pong_orders,
    h.wait_p50, h.wait_p90, h.wait_p99,
    (SELECT count(*) FROM messages WHERE status = 'sent') AS messages,
    w.customer_contacts, w.orders_with_contacts,
    round(w.contacts_of_customers / nullif(w.orders_with_customer, 0), 3) AS contacts_per_order,
    w.first_message_p50, w.first_message_p90, w.first_answer_p50, w.first_answer_p90,
    o.commitments_open, o.commitments_overdue_noted,
    (SELECT count(*) FROM parties WHERE role <> 'chain') AS parties,
    (SELECT position FROM chain.meta) AS position,
    (SELECT count(*) FROM chain.events WHERE fact IS NULL) AS unknown_facts
FROM handed h, worked_on w, owed o
