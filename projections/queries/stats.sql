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
        count(*) FILTER (WHERE ping_pongs > 0) AS ping_pong_orders
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
    (SELECT count(*) FROM contacts WHERE direction = 'inbound') AS customer_contacts,
    o.commitments_open, o.commitments_overdue_noted,
    (SELECT count(*) FROM parties WHERE role <> 'chain') AS parties,
    (SELECT position FROM chain.meta) AS position,
    (SELECT count(*) FROM chain.events WHERE fact IS NULL) AS unknown_facts
FROM handed h, worked_on w, owed o
