-- Whether the books of messages balance: each intent has ended in one way, or is still on its way.
SELECT
    count(*) AS messages,
    count(*) FILTER (WHERE planned_position IS NOT NULL) AS planned,
    count(*) FILTER (WHERE status = 'sent') AS sent,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'suppressed') AS suppressed,
    count(*) FILTER (WHERE status = 'unknown') AS unknown,
    count(*) FILTER (WHERE status = 'planned') AS pending,
    count(*) FILTER (WHERE status = 'sent' AND letter IS NULL) AS letters,
    coalesce(sum(attempts), 0)::BIGINT AS attempts,
    min(CASE status WHEN 'planned' THEN planned_at END) AS oldest_pending_at
FROM messages
