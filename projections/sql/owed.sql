-- Who owes what to whom, since when, and what became of it: every kind in one table, all but its due time.
-- What each fact opens, meets and cancels is data (lanes.sql, which matching.py goes by to make `expected` and `restated`);
-- how long each may take, and so when it is due, is policy and calendars (terms.py), and is put beside these rows in
-- commitments.sql. `receive` comes from handoffs.sql.
-- `position` is that of the fact which opened it, and a fact opens one of each kind at most. A commitment's id is made of
-- its kind and that fact's order, source and id (see macros.sql); it is not kept here, for it would double the table.
WITH all_kinds AS (
    SELECT
        first_position, position, place, lane, topic, kind, owner, accountable, opened_at, by_when, named_by,
        waits_for_customer, end_place, ended_at,
        CASE WHEN is_met THEN 'met' WHEN ended_at IS NULL THEN 'open' ELSE 'cancelled' END AS state,
        NULL AS counterpart
    FROM expected
    UNION ALL
    SELECT
        first_position, position, NULL, 'receive', '', 'receive', to_party, NULL, handed_at, expected_by, from_party,
        false, NULL, settled_at,
        CASE state WHEN 'received' THEN 'met' WHEN 'open' THEN 'open' ELSE 'cancelled' END,
        from_party
    FROM handoffs
),
promised AS (
    SELECT
        o.position, o.kind,
        count(*) AS dates,
        arg_min(n.by_when, n.place) AS first_promised_at,
        arg_max(n.by_when, n.place) AS promised_at,
        arg_max(n.source, n.place) AS promised_by,
        arg_max(n.occurred_at, n.place) AS promised_on
    FROM all_kinds o
    JOIN restated n ON n.first_position = o.first_position
    WHERE n.place > o.place
        AND (o.end_place IS NULL OR n.place < o.end_place)
        AND (
            (n.lane = o.lane AND n.topic = o.topic)
            OR (n.lane IS NULL AND n.source = o.owner AND o.kind IN ('forward', 'diagnose', 'repair', 'return', 'cover')
                AND coalesce(n.about = o.kind, true))
        )
    GROUP BY o.position, o.kind
),
waits AS (
    -- When the chain waited for her, of each order: beginnings and ends one after the other, the last end open if it does.
    SELECT
        first_position,
        list(opened_at ORDER BY opened_at, position) AS waits_from,
        list(coalesce(ended_at, TIMESTAMP '9999-01-01') ORDER BY opened_at, position) AS waits_until,
        count_if(state = 'open') > 0 AS is_waiting
    FROM all_kinds
    WHERE kind IN ('decide', 'answer') AND (owner = 'customer' OR starts_with(owner, 'customer:'))
    GROUP BY first_position
),
noted AS (
    -- `raw` rather than `facts` because ids are long and seldom needed; what does not count opened no commitment.
    SELECT
        opening.position,
        n.word AS kind,
        -- Said of which due time, and how far: 0 is a nudge. What was said of another due time is not said of this one.
        list(n.by_when ORDER BY n.position) FILTER (WHERE n.fact <> 'commitment.withdrawn') AS noted_due,
        list(coalesce(n.level, 0) ORDER BY n.position) FILTER (WHERE n.fact <> 'commitment.withdrawn') AS noted_level,
        max(CASE WHEN n.fact = 'commitment.nudged' THEN n.occurred_at END) AS nudged_at,
        max(CASE WHEN n.fact = 'commitment.withdrawn' THEN n.occurred_at END) AS withdrawn_at
    FROM facts n
    JOIN raw opening ON opening.first_position = n.first_position
    WHERE n.fact IN ('commitment.overdue', 'commitment.nudged', 'commitment.withdrawn')
        AND starts_with(n.source, 'chain:')
        AND n.name = commitment_id(n.word, opening.order_id, opening.source, opening.id)
    GROUP BY ALL
),
told_elsewhere AS (
    -- A promise that is about a step at hand is told there.
    SELECT o.position
    FROM all_kinds o
    JOIN all_kinds step
        ON step.first_position = o.first_position AND step.owner = o.owner
            AND step.kind IN ('forward', 'diagnose', 'repair', 'return', 'cover')
            AND step.place < o.place AND (step.end_place IS NULL OR step.end_place > o.place)
    LEFT JOIN promised p ON p.position = o.position AND p.kind = o.kind
    LEFT JOIN promised s ON s.position = step.position AND s.kind = step.kind
    WHERE o.kind = 'promise' AND coalesce(s.promised_at, step.by_when) = coalesce(p.promised_at, o.by_when)
)
SELECT
    o.first_position, o.position, o.kind, o.topic,
    CASE
        WHEN o.owner = 'customer' THEN coalesce(customer_party(r.customer), 'customer:unknown')
        -- Whoever was named and is nobody owes nothing: then it is the accountable party's.
        WHEN o.kind IN ('answer', 'cover') AND NOT is_party(o.owner) THEN coalesce(o.accountable, o.named_by)
        ELSE o.owner
    END AS owner,
    CASE
        WHEN o.kind IN ('update', 'check', 'call', 'return', 'visit', 'promise') OR (o.kind = 'cover' AND o.owner = o.accountable)
            THEN coalesce(customer_party(r.customer), o.accountable)
        -- A question that somebody puts to himself is one that she asked.
        WHEN o.kind = 'answer' AND (o.named_by = o.owner OR starts_with(o.named_by, 'customer'))
            THEN coalesce(customer_party(r.customer), o.accountable)
        WHEN o.kind = 'answer' THEN o.named_by
        ELSE coalesce(r.accountable, o.named_by)
    END AS owed_to,
    r.accountable,
    o.counterpart, o.opened_at, o.ended_at,
    CASE WHEN o.state = 'open' AND o.waits_for_customer AND w.is_waiting THEN 'paused' ELSE o.state END AS state,
    coalesce(p.dates, 0) + (o.by_when IS NOT NULL)::INTEGER AS promises,
    coalesce(o.by_when, p.first_promised_at) AS first_promised_at,
    coalesce(p.promised_at, o.by_when) AS promised_at,
    CASE WHEN p.dates > 0 THEN p.promised_by WHEN o.by_when IS NOT NULL THEN o.named_by END AS promised_by,
    CASE WHEN p.dates > 0 THEN p.promised_on WHEN o.by_when IS NOT NULL THEN o.opened_at END AS promised_on,
    CASE WHEN o.waits_for_customer THEN w.waits_from END AS waits_from,
    CASE WHEN o.waits_for_customer THEN w.waits_until END AS waits_until,
    n.noted_due, n.noted_level, n.nudged_at, n.withdrawn_at,
    r.category, r.urgency
FROM all_kinds o
LEFT JOIN promised p ON p.position = o.position AND p.kind = o.kind
LEFT JOIN waits w ON w.first_position = o.first_position
LEFT JOIN noted n ON n.position = o.position AND n.kind = o.kind
LEFT JOIN orders r ON r.first_position = o.first_position
WHERE o.kind <> 'promise' OR o.position NOT IN (SELECT position FROM told_elsewhere)
