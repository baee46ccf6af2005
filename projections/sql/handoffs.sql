-- Every time an item was handed over: from whom, to whom, when it is due there and when it came in.
-- A stint is the stretch of an order's story from one handover to the next.
WITH custody AS (
    SELECT
        first_position, order_id, position, fact, source, id, to_party, occurred_at,
        count(*) FILTER (WHERE fact = 'item.handed_over') OVER story AS stint
    FROM facts
    WHERE fact IN ('item.handed_over', 'item.received', 'order.closed')
    WINDOW story AS (PARTITION BY first_position ORDER BY occurred_at, position ROWS UNBOUNDED PRECEDING)
),
handed AS (
    SELECT
        *,
        occurred_at AS since,
        to_party AS party,
        16 AS hours,
        lead(occurred_at) OVER story AS next_handed_at,
        source = lag(to_party) OVER story AND to_party = lag(source) OVER story AS ping_pong
    FROM custody
    WHERE fact = 'item.handed_over'
    WINDOW story AS (PARTITION BY first_position ORDER BY stint)
),
expected AS (
    SELECT * FROM due_times('handed')
),
receipts AS (
    SELECT first_position, stint, source AS party, min(occurred_at) AS received_at
    FROM custody
    WHERE fact = 'item.received'
    GROUP BY ALL
),
closes AS (
    SELECT first_position, stint, min(occurred_at) AS closed_at
    FROM custody
    WHERE fact = 'order.closed'
    GROUP BY ALL
),
settled AS (
    SELECT
        h.*,
        -- Clocks differ: a receipt timed just before its handover was no wait at all.
        coalesce(r.received_at, CASE WHEN early.received_at IS NOT NULL THEN h.occurred_at END) AS received_at,
        c.closed_at
    FROM expected h
    LEFT JOIN receipts r ON r.first_position = h.first_position AND r.stint = h.stint AND r.party = h.to_party
    LEFT JOIN receipts early
        ON early.first_position = h.first_position AND early.stint = h.stint - 1 AND early.party = h.to_party
    LEFT JOIN closes c ON c.first_position = h.first_position AND c.stint = h.stint
)
SELECT
    position,
    first_position,
    order_id,
    stint,
    id AS fact_id,
    source AS from_party,
    to_party,
    occurred_at AS handed_at,
    due,
    received_at,
    (epoch_us(received_at) - epoch_us(occurred_at)) // 1000000 AS wait_seconds,
    CASE
        WHEN received_at IS NOT NULL THEN 'received'
        WHEN next_handed_at IS NOT NULL THEN 'superseded'
        WHEN closed_at IS NOT NULL THEN 'closed'
        ELSE 'open'
    END AS state,
    -- When the wait for it ended, however it did.
    coalesce(received_at, next_handed_at, closed_at) AS settled_at,
    coalesce(ping_pong, false) AS ping_pong,
    next_handed_at IS NULL AS is_latest
FROM settled
