-- Who owes what to whom, since when, and what became of it: every kind in one table, all but its due time.
-- What each fact opens, meets and cancels is data (lanes.sql); how long each may take, and so when it is due, is policy and
-- calendars (terms.py), and is put beside these rows in commitments.sql. `receive` comes from handoffs.sql.
-- `position` is that of the fact which opened it, and a fact opens one of each kind at most. A commitment's id is made of
-- its kind and that fact's order, source and id (see macros.sql); it is not kept here, for it would double the table.
WITH told AS (
    -- The facts that lanes.sql knows, each with how things stood when it happened.
    SELECT
        f.first_position, f.position, f.story, f.fact, f.source, f.party, f.word, f.topic, f.by_when, f.occurred_at,
        o.accountable,
        o.customer,
        o.handoffs > 0 AS travels,
        last_value(CASE WHEN f.fact IN ('order.opened', 'item.received') THEN f.source END IGNORE NULLS) OVER so_far AS holder,
        last_value(CASE
            WHEN f.fact IN ('repair.completed', 'repair.failed', 'unit.replaced', 'quote.declined') THEN true
            WHEN f.fact IN ('order.opened', 'order.reopened', 'diagnosis.made', 'quote.offered', 'quote.accepted', 'repair.started')
                THEN false
        END IGNORE NULLS) OVER so_far AS done,
        last_value(CASE
            WHEN f.fact = 'order.closed' THEN true WHEN f.fact IN ('order.opened', 'order.reopened') THEN false
        END IGNORE NULLS) OVER so_far AS closed,
        count_if(f.fact = 'work.paused') OVER so_far AS pauses,
        count_if(f.fact = 'promise.made') OVER so_far AS promises,
        first_value(CASE WHEN f.fact = 'order.closed' THEN f.story END IGNORE NULLS) OVER from_here AS order_ends,
        first_value(CASE WHEN f.fact IN ('repair.completed', 'repair.failed', 'unit.replaced') THEN f.story END IGNORE NULLS)
            OVER from_here AS repair_ends
    FROM facts f
    JOIN orders o ON o.first_position = f.first_position
    WHERE f.fact IN (SELECT fact FROM lanes)
    WINDOW
        so_far AS (PARTITION BY f.first_position ORDER BY f.story ROWS UNBOUNDED PRECEDING),
        from_here AS (PARTITION BY f.first_position ORDER BY f.story ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
),
said AS (
    -- What each of them says in each lane in which it speaks.
    SELECT
        t.first_position, t.position, t.story, t.occurred_at, t.by_when, t.source, t.accountable, t.customer,
        t.order_ends, t.repair_ends,
        l.lane,
        l.anew,
        l.meets,
        CASE l.topic WHEN 'topic' THEN coalesce(t.topic, '') WHEN 'source' THEN t.source ELSE '' END AS topic,
        CASE WHEN l.lane IN ('answer', 'check') OR NOT t.closed THEN l.expects END AS expects,
        CASE l.owner
            WHEN 'source' THEN t.source
            WHEN 'holder' THEN coalesce(t.holder, t.source)
            WHEN 'accountable' THEN t.accountable
            WHEN 'party' THEN coalesce(CASE WHEN t.party = 'customer' THEN coalesce(customer_party(t.customer), 'customer:unknown') ELSE t.party END, t.accountable)
            WHEN 'customer' THEN coalesce(customer_party(t.customer), 'customer:unknown')
        END AS owner
    FROM told t
    JOIN lanes l ON l.fact = t.fact
    WHERE (l.word IS NULL OR l.word = t.word)
        AND (l.role IS NULL OR starts_with(t.source, l.role))
        AND (l.done IS NULL OR l.done = coalesce(t.done, false))
        AND (l.home IS NULL OR l.home = coalesce(t.holder = t.accountable, false))
        AND (l.travels IS NULL OR l.travels = t.travels)
        AND (l.lane <> 'pause' OR t.pauses > 0)
        AND (l.lane <> 'promise' OR t.promises > 0)
        AND (l.lane NOT IN ('update', 'check') OR t.customer IS NOT NULL)
),
steps AS (
    -- Whether it only says again what was expected anyway, unless the order was closed in between.
    SELECT
        *,
        NOT anew AND coalesce(expects = lag(expects) OVER lane AND owner = lag(owner) OVER lane, false)
            AND (meets IS NULL OR NOT list_contains(meets, expects))
            AND (
                lane IN ('answer', 'check')
                OR coalesce(lag(order_ends) OVER lane > story, lag(order_ends) OVER lane IS NULL)
            ) AS goes_on
    FROM said
    WINDOW lane AS (PARTITION BY first_position, lane, topic ORDER BY story)
),
turns AS (
    SELECT
        *,
        lead(story) OVER lane AS next_story,
        lead(occurred_at) OVER lane AS next_at,
        lead(source) OVER lane AS next_source,
        lead(meets) OVER lane AS next_meets
    FROM steps
    WHERE NOT goes_on
    WINDOW lane AS (PARTITION BY first_position, lane, topic ORDER BY story)
),
expected AS (
    SELECT
        t.first_position, t.position, t.story, t.lane, t.topic, k.kind, t.owner, t.accountable, t.customer,
        t.occurred_at AS opened_at,
        t.by_when,
        -- Our own word of the next news is the promise of the party that it speaks for.
        CASE WHEN t.lane = 'update' THEN t.owner ELSE t.source END AS named_by,
        k.waits_for_customer,
        -- Whatever comes first: the next word in the lane, the end of the order, the end of the repair.
        nullif(least(
            coalesce(t.next_story, story_never()),
            CASE WHEN k.ends_with_order THEN coalesce(t.order_ends, story_never()) ELSE story_never() END,
            CASE WHEN k.ends_with_repair THEN coalesce(t.repair_ends, story_never()) ELSE story_never() END
        ), story_never()) AS end_story,
        coalesce(
            end_story = t.next_story AND list_contains(t.next_meets, k.kind) AND (t.lane <> 'work' OR t.next_source = t.owner),
            false
        ) AS is_met
    FROM turns t
    JOIN kinds k ON k.kind = t.expects
    WHERE t.owner IS NOT NULL
),
all_kinds AS (
    SELECT
        first_position, position, story, lane, topic, kind, owner,
        CASE
            WHEN kind IN ('update', 'check', 'return', 'visit', 'promise') OR (kind IN ('answer', 'cover') AND owner = accountable)
                THEN coalesce(customer_party(customer), accountable)
            ELSE accountable
        END AS owed_to,
        accountable, opened_at, by_when, named_by, waits_for_customer, end_story,
        CASE WHEN end_story IS NOT NULL THEN story_moment(end_story) END AS ended_at,
        CASE WHEN is_met THEN 'met' WHEN end_story IS NULL THEN 'open' ELSE 'cancelled' END AS state,
        NULL AS counterpart
    FROM expected
    UNION ALL
    SELECT
        h.first_position, h.position, NULL, 'receive', '', 'receive', h.to_party,
        coalesce(o.accountable, h.from_party), o.accountable, h.handed_at, h.expected_by, h.from_party, false, NULL,
        h.settled_at,
        CASE h.state WHEN 'received' THEN 'met' WHEN 'open' THEN 'open' ELSE 'cancelled' END,
        h.from_party
    FROM handoffs h
    LEFT JOIN orders o ON o.first_position = h.first_position
),
named AS (
    -- Dates that were named after it was opened: said with what was expected anyway, or promised in so many words.
    SELECT first_position, story, lane, topic, source, occurred_at, by_when, NULL AS about
    FROM steps
    WHERE goes_on AND by_when IS NOT NULL
    UNION ALL
    SELECT first_position, story, NULL, NULL, source, occurred_at, by_when, word
    FROM facts
    WHERE fact IN ('promise.made', 'promise.moved')
),
promised AS (
    SELECT
        o.position, o.kind,
        count(*) AS dates,
        arg_min(n.by_when, n.story) AS first_promised_at,
        arg_max(n.by_when, n.story) AS promised_at,
        arg_max(n.source, n.story) AS promised_by,
        arg_max(n.occurred_at, n.story) AS promised_on
    FROM all_kinds o
    JOIN named n ON n.first_position = o.first_position
    WHERE n.story > o.story
        AND (o.end_story IS NULL OR n.story < o.end_story)
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
    WHERE starts_with(owner, 'customer')
    GROUP BY first_position
),
noted AS (
    -- `raw` rather than `facts` because ids are long and seldom needed; what does not count opened no commitment.
    SELECT
        opening.position,
        n.word AS kind,
        max(CASE WHEN n.fact = 'commitment.overdue' THEN n.level END) AS level,
        max(CASE WHEN n.fact = 'commitment.overdue' THEN n.occurred_at END) AS noted_at,
        max(CASE WHEN n.fact = 'commitment.nudged' THEN n.occurred_at END) AS nudged_at,
        max(CASE WHEN n.fact = 'commitment.withdrawn' THEN n.occurred_at END) AS withdrawn_at
    FROM facts n
    JOIN raw opening ON opening.first_position = n.first_position
    WHERE n.fact IN ('commitment.overdue', 'commitment.nudged', 'commitment.withdrawn')
        AND n.name = commitment_id(n.word, opening.order_id, opening.source, opening.id)
    GROUP BY ALL
),
told_elsewhere AS (
    -- A promise that is about a step at hand is told there.
    SELECT o.position
    FROM all_kinds o
    JOIN all_kinds step ON step.first_position = o.first_position AND step.owner = o.owner AND step.kind <> 'promise'
    LEFT JOIN promised p ON p.position = o.position AND p.kind = o.kind
    LEFT JOIN promised s ON s.position = step.position AND s.kind = step.kind
    WHERE o.kind = 'promise' AND coalesce(s.promised_at, step.by_when) = coalesce(p.promised_at, o.by_when)
)
SELECT
    o.* EXCLUDE (story, lane, named_by, by_when, waits_for_customer, end_story, state),
    CASE WHEN o.state = 'open' AND o.waits_for_customer AND w.is_waiting THEN 'paused' ELSE o.state END AS state,
    coalesce(p.dates, 0) + (o.by_when IS NOT NULL)::INTEGER AS promises,
    coalesce(o.by_when, p.first_promised_at) AS first_promised_at,
    coalesce(p.promised_at, o.by_when) AS promised_at,
    CASE WHEN p.dates > 0 THEN p.promised_by WHEN o.by_when IS NOT NULL THEN o.named_by END AS promised_by,
    CASE WHEN p.dates > 0 THEN p.promised_on WHEN o.by_when IS NOT NULL THEN o.opened_at END AS promised_on,
    CASE WHEN o.waits_for_customer THEN w.waits_from END AS waits_from,
    CASE WHEN o.waits_for_customer THEN w.waits_until END AS waits_until,
    -- What was noted before a later promise was about the date before.
    CASE WHEN n.noted_at < coalesce(p.promised_on, o.opened_at) THEN 0 ELSE coalesce(n.level, 0) END AS level,
    n.nudged_at, n.withdrawn_at,
    r.category, r.urgency
FROM all_kinds o
LEFT JOIN promised p ON p.position = o.position AND p.kind = o.kind
LEFT JOIN waits w ON w.first_position = o.first_position
LEFT JOIN noted n ON n.position = o.position AND n.kind = o.kind
LEFT JOIN orders r ON r.first_position = o.first_position
WHERE o.kind <> 'promise' OR o.position NOT IN (SELECT position FROM told_elsewhere)
