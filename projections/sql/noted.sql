-- What was said of what is owed: reminders, levels, withdrawals.
-- `raw` rather than `facts` because ids are long and seldom needed; what does not count opened no commitment.
SELECT
    opening.position,
    n.word AS kind,
    -- Said of which due time, and how far: 0 is a nudge. What was said of an earlier due time is not said of this one.
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
