-- The messages of one order with their texts, which are in the log.
WITH texts AS (
    SELECT position, data FROM chain.events WHERE position BETWEEN $first AND $last AND first_position = $first
)
SELECT
    m.message_id, m.order_id, m.kind, m.status,
    t.data ->> 'channel' AS channel,
    t.data ->> 'language' AS language,
    t.data ->> 'subject' AS subject,
    t.data ->> 'body' AS body,
    m.planned_at, m.sent_at, m.next_news_by,
    r.data ->> 'reason' AS reason,
    p.data ->> 'trigger_id' AS trigger_id
FROM messages m
LEFT JOIN texts t ON t.position = coalesce(m.sent_position, m.planned_position)
LEFT JOIN texts p ON p.position = m.planned_position
LEFT JOIN texts r ON r.position = m.reason_position
WHERE m.first_position = $first
ORDER BY coalesce(m.planned_at, m.sent_at), m.message_id
