-- A promise that is about a step at hand is told there.
SELECT o.position
FROM expected o
JOIN expected step
    ON step.first_position = o.first_position AND step.named = o.named
        AND step.kind IN ('forward', 'diagnose', 'repair', 'return', 'cover')
        AND step.place < o.place AND (step.end_place IS NULL OR step.end_place > o.place)
LEFT JOIN promised p ON p.position = o.position AND p.kind = o.kind
LEFT JOIN promised s ON s.position = step.position AND s.kind = step.kind
WHERE o.kind = 'promise' AND coalesce(s.promised_at, step.by_when) = coalesce(p.promised_at, o.by_when)
