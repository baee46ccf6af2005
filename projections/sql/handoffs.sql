-- Every time an item was handed over: from whom, to whom, when it is due there and when it came in.
-- A stint is the stretch of an order's story from one handover to the next.
WITH custody AS (
    SELECT
        first_position, order_id, position, fact, source, occurred_at,
        count_if(fact = 'item.handed_over') OVER so_far AS stint,
        last_value(to_party IGNORE NULLS) OVER so_far AS bound_for
    FROM facts
    WHERE fact IN ('item.handed_over', 'item.received', 'order.closed')
    WINDOW so_far AS (PARTITION BY first_position ORDER BY story ROWS UNBOUNDED PRECEDING)
),
stints AS (
    SELECT
        first_position,
        stint,
        any_value(order_id) AS order_id,
        any_value(position) FILTER (fact = 'item.handed_over') AS position,
        any_value(source) FILTER (fact = 'item.handed_over') AS from_party,
        any_value(bound_for) AS to_party,
        any_value(occurred_at) FILTER (fact = 'item.handed_over') AS handed_at,
        min(occurred_at) FILTER (fact = 'item.received' AND source = bound_for) AS received_at,
        list(source) FILTER (fact = 'item.received') AS receivers,
        min(occurred_at) FILTER (fact = 'order.closed') AS closed_at
    FROM custody
    GROUP BY first_position, stint
),
handed AS (
    SELECT
        s.first_position, s.order_id, s.stint, s.position, s.from_party, s.to_party, s.handed_at, s.closed_at,
        s.to_party AS party,
        s.handed_at AS since,
        16 AS hours,
        after.handed_at AS next_handed_at,
        s.from_party = before.to_party AND s.to_party = before.from_party AS ping_pong,
        -- Clocks differ: a receipt timed just before its handover was no wait at all.
        coalesce(s.received_at, CASE WHEN list_contains(before.receivers, s.to_party) THEN s.handed_at END) AS received_at
    FROM stints s
    LEFT JOIN stints before ON before.first_position = s.first_position AND before.stint = s.stint - 1
    LEFT JOIN stints after ON after.first_position = s.first_position AND after.stint = s.stint + 1
    WHERE s.stint > 0
)
SELECT
    position,
    first_position,
    order_id,
    stint,
    from_party,
    to_party,
    handed_at,
    due,
    received_at,
    (epoch_us(received_at) - epoch_us(handed_at)) // 1000000 AS wait_seconds,
    CASE
        WHEN received_at IS NOT NULL THEN 'received'
        WHEN next_handed_at IS NOT NULL THEN 'superseded'
        WHEN closed_at IS NOT NULL THEN 'closed'
        ELSE 'open'
    END AS state,
    -- When the wait for it ended, however it did.
    coalesce(received_at, next_handed_at, closed_at) AS settled_at,
    coalesce(ping_pong, false) AS ping_pong
FROM due_times('handed')
