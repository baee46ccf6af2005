-- Who owes what to whom, since when, by when, and what became of it.
-- receipt: the party an item was handed to owes the word that it came in. news: the accountable party owes the customer
-- the next news. More kinds will be more parts of the UNION. `position` is that of the fact which opened it, and every fact
-- opens one at most. A commitment's id is made of its kind and that fact's order, source and id (see macros.sql); it is
-- not kept here, for it would double the size of the table.
WITH tellings AS (
    -- Everything that opens, meets or ends the wait for news. It is owed while the order is open.
    SELECT
        position, first_position, fact, occurred_at,
        CASE WHEN fact = 'message.sent' THEN by_when END AS next_news_by,
        last_value(CASE WHEN fact IN ('order.opened', 'order.closed', 'order.reopened') THEN fact END IGNORE NULLS)
            OVER so_far AS phase,
        lead(fact) OVER so_far AS next_fact,
        lead(occurred_at) OVER so_far AS next_at
    FROM facts
    WHERE fact IN ('order.opened', 'order.reopened', 'order.closed', 'message.sent')
        OR (fact = 'customer.contacted' AND word = 'outbound')
    WINDOW so_far AS (PARTITION BY first_position ORDER BY story ROWS UNBOUNDED PRECEDING)
),
silences AS (
    SELECT
        t.position, t.first_position, t.next_news_by, t.next_fact, t.next_at,
        o.customer, o.accountable AS party, t.occurred_at AS since, news_hours() AS hours
    FROM tellings t
    JOIN orders o ON o.first_position = t.first_position
    WHERE o.customer IS NOT NULL AND t.phase IS DISTINCT FROM 'order.closed'
),
owed AS (
    SELECT
        h.position, h.first_position,
        'receipt' AS kind,
        h.to_party AS owed_by,
        coalesce(o.accountable, h.from_party) AS owed_to,
        o.accountable,
        h.handed_at AS since,
        h.due,
        CASE h.state WHEN 'received' THEN 'met' WHEN 'closed' THEN 'ended' ELSE h.state END AS state,
        h.settled_at
    FROM handoffs h
    LEFT JOIN orders o ON o.first_position = h.first_position
    UNION ALL
    SELECT
        position, first_position, 'news', party, 'customer:' || customer, party, since,
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
noted AS (
    -- `raw` rather than `facts` because ids are long and seldom needed; what does not count opened no commitment.
    SELECT opening.position, n.word AS kind, max(n.level) AS level
    FROM facts n
    JOIN raw opening ON opening.first_position = n.first_position
    WHERE n.fact = 'commitment.overdue'
        AND n.name = commitment_id(n.word, opening.order_id, opening.source, opening.id)
    GROUP BY ALL
)
SELECT
    o.position, o.first_position, o.kind, o.owed_by, o.owed_to, o.accountable,
    o.since, o.due, o.state, o.settled_at,
    o.state = 'met' AND o.settled_at > o.due AS met_late,
    coalesce(n.level, 0) AS overdue_level
FROM owed o
LEFT JOIN noted n ON n.position = o.position AND n.kind = o.kind
