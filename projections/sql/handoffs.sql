-- Every time an item was handed over: from whom, to whom, when it is due there and when it came in.
-- A stint is the stretch of an order's story from one handover to the next.
WITH custody AS (
    SELECT
        first_position, order_id, position, story, fact, source, occurred_at,
        count(*) FILTER (WHERE fact = 'item.handed_over') OVER so_far AS stint,
        last_value(to_party IGNORE NULLS) OVER so_far AS bound_for,
        first_value(to_party IGNORE NULLS) OVER from_here AS next_bound_for
    FROM facts
    WHERE fact IN ('item.handed_over', 'item.received', 'order.closed')
    WINDOW
        so_far AS (PARTITION BY first_position ORDER BY story ROWS UNBOUNDED PRECEDING),
        from_here AS (PARTITION BY first_position ORDER BY story ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
),
stints AS (
    SELECT
        first_position,
        stint,
        any_value(order_id) AS order_id,
        any_value(position) FILTER (WHERE fact = 'item.handed_over') AS position,
        any_value(source) FILTER (WHERE fact = 'item.handed_over') AS from_party,
        any_value(bound_for) AS to_party,
        any_value(occurred_at) FILTER (WHERE fact = 'item.handed_over') AS handed_at,
        min(occurred_at) FILTER (WHERE fact = 'item.received' AND source = bound_for) AS received_at,
        bool_or(fact = 'item.received' AND source = next_bound_for) AS received_early,
        min(occurred_at) FILTER (WHERE fact = 'order.closed') AS closed_at
    FROM custody
    GROUP BY first_position, stint
),
neighbours AS (
    SELECT
        *,
        to_party AS party,
        handed_at AS since,
        16 AS hours,
        lead(handed_at) OVER story AS next_handed_at,
        -- Clocks differ: a receipt timed just before its handover was no wait at all.
        coalesce(received_at, CASE WHEN lag(received_early) OVER story THEN handed_at END) AS arrived_at,
        coalesce(from_party = lag(to_party) OVER story AND to_party = lag(from_party) OVER story, false) AS ping_pong
    FROM stints
    WINDOW story AS (PARTITION BY first_position ORDER BY stint)
),
handed AS (
    SELECT * FROM neighbours WHERE stint > 0
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
    arrived_at AS received_at,
    (epoch_us(arrived_at) - epoch_us(handed_at)) // 1000000 AS wait_seconds,
    CASE
        WHEN arrived_at IS NOT NULL THEN 'received'
        WHEN next_handed_at IS NOT NULL THEN 'superseded'
        WHEN closed_at IS NOT NULL THEN 'closed'
        ELSE 'open'
    END AS state,
    -- When the wait for it ended, however it did.
    coalesce(arrived_at, next_handed_at, closed_at) AS settled_at,
    ping_pong,
    next_handed_at IS NULL AS is_latest
FROM due_times('handed')
