-- The messages of several orders, in no order; their texts are in the log.
SELECT
    first_position, message_id, kind, status, planned_at, sent_at, next_news_by, planned_position, sent_position, reason_position
FROM messages
WHERE first_position IN (SELECT unnest($firsts::BIGINT[]))
