-- Every time an item was handed over: from whom, to whom, and when it came in. By when that is due: commitments.sql.
-- A stint is the stretch of an order's story from one handover to the next.
WITH custody AS (
    SELECT
        first_position, position, story, fact, source, party, occurred_at, by_when,
        count_if(fact = 'item.handed_over') OVER so_far AS stint
    FROM facts
    WHERE fact IN ('item.handed_over', 'item.received', 'order.closed', 'order.reopened')
    WINDOW so_far AS (PARTITION BY first_position ORDER BY story ROWS UNBOUNDED PRECEDING)
),
endings AS (
    -- In each stint, when a party first and last said that it received the item; and, without a party, when the order
    -- closed, unless it was taken up again.
    SELECT
        first_position,
        stint,
        CASE fact WHEN 'item.received' THEN source ELSE '' END AS party,
        min(occurred_at) AS ended_at,
        max(occurred_at) AS last_at,
        arg_max(fact = 'order.reopened', story) AS goes_on
    FROM custody
    WHERE fact <> 'item.handed_over'
    GROUP BY ALL
),
handed AS (
    SELECT
        first_position, position, stint, source, party,
        occurred_at AS since,
        by_when,
        lead(occurred_at) OVER story AS next_handed_at,
        coalesce(source = lag(party) OVER story AND party = lag(source) OVER story, false) AS ping_pong
    FROM custody
    WHERE fact = 'item.handed_over'
    WINDOW story AS (PARTITION BY first_position ORDER BY stint)
),
expected AS (
    SELECT
        h.*,
        -- Clocks differ: a receipt timed just before its handover was no wait at all. An older one was of another time.
        coalesce(receipt.ended_at, CASE WHEN early.party IS NOT NULL THEN h.since END) AS received_at,
        close.ended_at AS closed_at
    FROM handed h
    LEFT JOIN endings receipt
        ON receipt.first_position = h.first_position AND receipt.stint = h.stint AND receipt.party = h.party
    LEFT JOIN endings early
        ON early.first_position = h.first_position AND early.stint = h.stint - 1 AND early.party = h.party
            AND early.last_at >= h.since - INTERVAL 1 DAY
    LEFT JOIN endings close
        ON close.first_position = h.first_position AND close.stint = h.stint AND close.party = '' AND NOT close.goes_on
)
SELECT
    position,
    first_position,
    stint,
    source AS from_party,
    party AS to_party,
    since AS handed_at,
    -- When the sender expected it to arrive.
    by_when AS expected_by,
    received_at,
    (epoch_us(received_at) - epoch_us(since)) // 1000000 AS wait_seconds,
    CASE
        WHEN received_at IS NOT NULL THEN 'received'
        WHEN next_handed_at IS NOT NULL THEN 'superseded'
        WHEN closed_at IS NOT NULL THEN 'closed'
        ELSE 'open'
    END AS state,
    -- When the wait for it ended, however it did.
    coalesce(received_at, next_handed_at, closed_at) AS settled_at,
    ping_pong
FROM expected
