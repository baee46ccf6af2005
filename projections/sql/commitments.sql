-- What is owed (owed.sql) with its due time, and whether that was kept. `terms` has, row by row, what holds for each row of
-- `owed` by policy and calendars (terms.py).
SELECT
    position, first_position, kind, topic, owner, owed_to, accountable, counterpart,
    opened_at,
    CASE WHEN state <> 'paused' THEN due_at END AS due_at,
    ended_at,
    state,
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
    promises, first_promised_at, promised_at, promised_by,
    -- In seconds of the owner's opening hours: how long it may take, and how long it took.
    allowed,
    CASE WHEN state = 'met' THEN worked END AS worked
FROM owed POSITIONAL JOIN terms
