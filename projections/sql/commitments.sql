-- Who owes what to whom, since when and by when, and what became of it: every kind in one table.
-- What each fact opens, meets and cancels is data (lanes.sql, which matching.py goes by to make `expected` and `restated`);
-- how long each may take, and so when it is due, is policy and calendars: `terms` has, row by row, what holds for each row of
-- `expected` (terms.py).
-- `position` is that of the fact which opened it, and a fact opens one of each kind at most. A commitment's id is made of
-- its kind and that fact's order, source and id (see macros.sql); it is not kept here, for it would double the table.
WITH owed AS (
    SELECT
        * EXCLUDE (owner, state),
        CASE WHEN owner = 'customer' THEN coalesce(customer_party(customer), 'customer:unknown') ELSE owner END AS owner,
        CASE
            WHEN kind IN ('update', 'check', 'call', 'return', 'visit', 'promise') OR (kind = 'cover' AND named = accountable)
                THEN coalesce(customer_party(customer), accountable)
            -- A question that somebody puts to himself is one that she asked.
            WHEN kind = 'answer' AND (named_by = named OR starts_with(named_by, 'customer'))
                THEN coalesce(customer_party(customer), accountable)
            WHEN kind = 'answer' THEN named_by
            ELSE coalesce(accountable, named_by)
        END AS owed_to,
        CASE WHEN state = 'open' AND len(paused_for) > 0 THEN 'paused' ELSE state END AS state
    FROM expected POSITIONAL JOIN terms
    WHERE kind <> 'promise' OR position NOT IN (SELECT position FROM told_elsewhere)
)
SELECT
    position, first_position, kind, topic, owner, owed_to, accountable, counterpart,
    opened_at,
    CASE WHEN state <> 'paused' THEN due_at END AS due_at,
    ended_at,
    state,
    -- Of what is paused, what it waits for, and when its time stood still until then (standstill.py).
    CASE WHEN state = 'paused' THEN paused_for ELSE [] END AS paused_for,
    waits,
    -- News is due a while before she was promised it, and kept if it came by then. What we ask of our own accord goes out
    -- when it falls due, and takes a moment.
    state = 'met' AND ended_at > CASE kind
        WHEN 'update' THEN coalesce(promised_at, due_at) WHEN 'check' THEN due_at + INTERVAL 1 MINUTE ELSE due_at
    END AS met_late,
    rule,
    level,
    nudged_at,
    -- A fact that came in later disproved what was said.
    level > 0 AND state IN ('met', 'cancelled') AND ended_at <= due_at AS disproved,
    withdrawn_at,
    CASE WHEN state = 'open' THEN next_at END AS next_at,
    coalesce(dates, 0) + (by_when IS NOT NULL)::INTEGER AS promises,
    coalesce(by_when, first_promised_at) AS first_promised_at,
    promised_at,
    CASE WHEN dates > 0 THEN promised_by WHEN by_when IS NOT NULL THEN named_by END AS promised_by,
    -- In seconds of the owner's opening hours: how long it may take, and how long it took.
    allowed,
    CASE WHEN state = 'met' THEN worked END AS worked
FROM owed
