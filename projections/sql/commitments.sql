-- Who owes what to whom, since when, by when, and what became of it.
-- receipt: the party an item was handed to owes the word that it came in. news: the accountable party owes the customer
-- the next news. More kinds will be more parts of the UNION.
WITH tellings AS (
    -- Everything that opens, meets or ends the wait for news. It is owed while the order is open.
    SELECT
        position, first_position, order_id, fact, source, id, occurred_at,
        CASE WHEN fact = 'message.sent' THEN said.next_news_by::TIMESTAMP END AS next_news_by,
        last_value(CASE WHEN fact IN ('order.opened', 'order.closed', 'order.reopened') THEN fact END IGNORE NULLS)
            OVER so_far AS phase,
        lead(fact) OVER so_far AS next_fact,
        lead(occurred_at) OVER so_far AS next_at
    FROM facts
    WHERE fact IN ('order.opened', 'order.reopened', 'order.closed', 'message.sent')
        OR (fact = 'customer.contacted' AND said.direction = 'outbound')
    WINDOW so_far AS (PARTITION BY first_position ORDER BY story ROWS UNBOUNDED PRECEDING)
),
silences AS (
    SELECT t.*, i.accountable, i.customer, i.accountable AS party, t.occurred_at AS since, 40 AS hours
    FROM tellings t
    JOIN intakes i ON i.first_position = t.first_position
    WHERE i.customer IS NOT NULL AND t.phase IS DISTINCT FROM 'order.closed'
),
owed AS (
    SELECT
        h.position, h.first_position, h.order_id,
        'receipt' AS kind,
        h.from_party AS opened_by,
        h.fact_id,
        h.to_party AS owed_by,
        coalesce(i.accountable, h.from_party) AS owed_to,
        i.accountable,
        h.handed_at AS since,
        h.due,
        CASE h.state WHEN 'received' THEN 'met' WHEN 'closed' THEN 'ended' ELSE h.state END AS state,
        h.settled_at
    FROM handoffs h
    LEFT JOIN intakes i ON i.first_position = h.first_position
    UNION ALL
    SELECT
        position, first_position, order_id, 'news', source, id, accountable, 'customer:' || customer, accountable, since,
        -- The promise is an hour later than what is due, so that there is time to keep it.
        least(due, next_news_by - INTERVAL 1 HOUR),
        CASE
            WHEN next_fact IS NULL THEN 'open'
            WHEN next_fact IN ('message.sent', 'customer.contacted') THEN 'met'
            WHEN next_fact = 'order.closed' THEN 'ended'
            ELSE 'superseded'
        END,
        next_at
    FROM due_times('silences')
),
named AS (
    SELECT *, concat_ws('/', kind, order_id, opened_by, fact_id) AS commitment_id FROM owed
),
noted AS (
    SELECT first_position, said.commitment AS commitment_id, max(said.level) AS level
    FROM facts
    WHERE fact = 'commitment.overdue'
    GROUP BY ALL
)
SELECT
    n.position, n.first_position, n.order_id, n.commitment_id, n.kind, n.owed_by, n.owed_to, n.accountable,
    n.since, n.due, n.state, n.settled_at,
    n.state = 'met' AND n.settled_at > n.due AS met_late,
    coalesce(o.level, 0) AS overdue_level
FROM named n
LEFT JOIN noted o ON o.first_position = n.first_position AND o.commitment_id = n.commitment_id
