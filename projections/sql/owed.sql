-- Who owes what to whom, since when, and what became of it: every kind in one table, all but its due time.
-- What each fact opens, meets and cancels is data (lanes.sql, which matching.py goes by to make `expected` and `restated`);
-- how long each may take, and so when it is due, is policy and calendars (terms.py), and is put beside these rows in
-- commitments.sql.
-- `position` is that of the fact which opened it, and a fact opens one of each kind at most. A commitment's id is made of
-- its kind and that fact's order, source and id (see macros.sql); it is not kept here, for it would double the table.
SELECT
    o.first_position, o.position, o.kind, o.topic,
    CASE
        WHEN o.owner = 'customer' THEN coalesce(customer_party(o.customer), 'customer:unknown')
        -- Whoever was named and is nobody owes nothing: then it is the accountable party's.
        WHEN o.kind IN ('answer', 'cover') AND NOT is_party(o.owner) THEN coalesce(o.accountable, o.named_by)
        ELSE o.owner
    END AS owner,
    CASE
        WHEN o.kind IN ('update', 'check', 'call', 'return', 'visit', 'promise') OR (o.kind = 'cover' AND o.owner = o.accountable)
            THEN coalesce(customer_party(o.customer), o.accountable)
        -- A question that somebody puts to himself is one that she asked.
        WHEN o.kind = 'answer' AND (o.named_by = o.owner OR starts_with(o.named_by, 'customer'))
            THEN coalesce(customer_party(o.customer), o.accountable)
        WHEN o.kind = 'answer' THEN o.named_by
        ELSE coalesce(o.accountable, o.named_by)
    END AS owed_to,
    o.accountable,
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
    o.category, o.urgency
FROM expected o
LEFT JOIN promised p ON p.position = o.position AND p.kind = o.kind
LEFT JOIN waits w ON w.first_position = o.first_position
LEFT JOIN noted n ON n.position = o.position AND n.kind = o.kind
WHERE o.kind <> 'promise' OR o.position NOT IN (SELECT position FROM told_elsewhere)
