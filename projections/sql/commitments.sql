-- Who owes what to whom, since when, by when, and what became of it.
-- receipt: the party an item was handed to owes the word that it came in. news: the accountable party owes the customer
-- the next news. More kinds will be more parts of the last UNION.
WITH noted AS (
    SELECT first_position, about AS commitment_id, max(level) AS level
    FROM facts
    WHERE fact = 'commitment.overdue'
    GROUP BY ALL
),
receipts AS (
    SELECT
        h.position, h.first_position, h.order_id,
        'receipt' AS kind,
        concat('receipt/', h.order_id, '/', h.from_party, '/', h.fact_id) AS commitment_id,
        h.to_party AS owed_by,
        coalesce(i.accountable, h.from_party) AS owed_to,
        i.accountable,
        h.handed_at AS since,
        h.due,
        CASE h.state WHEN 'received' THEN 'met' WHEN 'closed' THEN 'ended' ELSE h.state END AS state,
        h.settled_at
    FROM handoffs h
    LEFT JOIN intakes i ON i.first_position = h.first_position
),
tellings AS (
    -- Everything that opens, meets or ends the wait for news. It is owed while the order is open.
    SELECT
        position, first_position, order_id, fact, source, id, occurred_at, by_when,
        last_value(CASE WHEN fact IN ('order.opened', 'order.closed', 'order.reopened') THEN fact END IGNORE NULLS) OVER so_far
            AS phase,
        lead(fact) OVER story AS next_fact,
        lead(occurred_at) OVER story AS next_at
    FROM facts
    WHERE fact IN ('order.opened', 'order.reopened', 'order.closed', 'message.sent')
        OR (fact = 'customer.contacted' AND direction = 'outbound')
    WINDOW
        story AS (PARTITION BY first_position ORDER BY occurred_at, position),
        so_far AS (PARTITION BY first_position ORDER BY occurred_at, position ROWS UNBOUNDED PRECEDING)
),
waits AS (
    SELECT
        t.*,
        i.accountable,
        i.customer,
        i.accountable AS party,
        t.occurred_at AS since,
        40 AS hours,
        -- The promise is an hour later than what is due, so that there is time to keep it.
        CASE WHEN t.fact = 'message.sent' THEN t.by_when - INTERVAL 1 HOUR END AS promised
    FROM tellings t
    JOIN intakes i ON i.first_position = t.first_position
    WHERE i.customer IS NOT NULL AND t.phase IS DISTINCT FROM 'order.closed'
),
expected AS (
    SELECT * FROM due_times('waits')
),
news AS (
    SELECT
        position, first_position, order_id,
        'news' AS kind,
        concat('news/', order_id, '/', source, '/', id) AS commitment_id,
        accountable AS owed_by,
        concat('customer:', customer) AS owed_to,
        accountable,
        since,
        least(due, promised) AS due,
        CASE
            WHEN next_fact IS NULL THEN 'open'
            WHEN next_fact IN ('message.sent', 'customer.contacted') THEN 'met'
            WHEN next_fact = 'order.closed' THEN 'ended'
            ELSE 'superseded'
        END AS state,
        next_at AS settled_at
    FROM expected
),
owed AS (
    FROM receipts UNION ALL FROM news
)
SELECT
    o.*,
    o.state = 'met' AND o.settled_at > o.due AS met_late,
    coalesce(n.level, 0) AS overdue_level
FROM owed o
LEFT JOIN noted n ON n.first_position = o.first_position AND n.commitment_id = o.commitment_id
