-- The dates that were named for what is owed after it was opened: how many, the first and the last, by whom and when.
SELECT
    o.position, o.kind,
    count(*) AS dates,
    arg_min(n.by_when, n.place) AS first_promised_at,
    arg_max(n.by_when, n.place) AS promised_at,
    arg_max(n.source, n.place) AS promised_by,
    arg_max(n.occurred_at, n.place) AS promised_on
FROM expected o
JOIN restated n ON n.first_position = o.first_position
WHERE n.place > o.place
    AND (o.end_place IS NULL OR n.place < o.end_place)
    AND (
        (n.opened = o.place AND n.kind = o.kind)
        OR (n.opened IS NULL AND n.source = o.named AND o.kind IN ('forward', 'diagnose', 'repair', 'return', 'cover')
            AND coalesce(n.about = o.kind, true))
    )
GROUP BY o.position, o.kind
