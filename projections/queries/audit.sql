-- Whether the books of messages balance: each intent has ended in one way, or is still on its way.
SELECT
    count(*) AS messages,
    count_if(planned_position IS NOT NULL) AS planned,
    count_if(status = 'sent') AS sent,
    count_if(status = 'failed') AS failed,
    count_if(status = 'suppressed') AS suppressed,
    count_if(status = 'unknown') AS unknown,
    count_if(status = 'planned') AS pending,
    count_if(status = 'sent' AND letter IS NULL) AS letters,
    coalesce(sum(attempts), 0)::BIGINT AS attempts,
    min(CASE status WHEN 'planned' THEN planned_at END) AS oldest_pending_at
FROM messages
