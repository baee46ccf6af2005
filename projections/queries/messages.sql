-- The latest messages of all orders with their texts, which are in the log.
WITH latest AS (
    SELECT * FROM messages ORDER BY coalesce(sent_at, planned_at) DESC NULLS LAST, message_id LIMIT $limit
)
SELECT
    m.message_id, s.order_id, m.kind, m.status,
    t.data ->> 'channel' AS channel,
    t.data ->> 'language' AS language,
    t.data ->> 'subject' AS subject,
    -- What is planned has its short form beside it, for channels of texts; what was sent says what was sent.
    CASE
        WHEN m.sent_position IS NULL AND t.data ->> 'channel' NOT IN ('email', 'webhook') THEN coalesce(t.data ->> 'text', t.data ->> 'body')
        ELSE t.data ->> 'body'
    END AS body,
    m.planned_at, m.sent_at, m.next_news_by,
    r.data ->> 'reason' AS reason,
    p.data ->> 'trigger_id' AS trigger_id
FROM latest m
JOIN chain.subjects s ON s.first_position = m.first_position
LEFT JOIN chain.events t ON t.position = coalesce(m.sent_position, m.planned_position)
LEFT JOIN chain.events p ON p.position = m.planned_position
LEFT JOIN chain.events r ON r.position = m.reason_position
ORDER BY coalesce(m.sent_at, m.planned_at) DESC NULLS LAST, m.message_id
