-- What the customer was told, or was to be told. The texts stay in the log: `text_position` says where.
SELECT
    first_position,
    any_value(order_id) AS order_id,
    about AS message_id,
    arg_max(kind, story_key(occurred_at, position, 0)) AS kind,
    -- The last word counts, and a plan is no word about the sending.
    CASE key_word(max(story_key(occurred_at, position, CASE fact WHEN 'message.sent' THEN 2 WHEN 'message.failed' THEN 3 ELSE 4 END))
            FILTER (WHERE fact <> 'message.planned'))
        WHEN 2 THEN 'sent'
        WHEN 3 THEN 'failed'
        WHEN 4 THEN 'suppressed'
        ELSE 'planned'
    END AS status,
    arg_max(channel, story_key(occurred_at, position, 0)) AS channel,
    arg_max(language, story_key(occurred_at, position, 0)) AS language,
    min(occurred_at) FILTER (WHERE fact = 'message.planned') AS planned_at,
    max(occurred_at) FILTER (WHERE fact = 'message.sent') AS sent_at,
    arg_max(by_when, story_key(occurred_at, position, 0)) AS next_news_by,
    arg_max(target_source, story_key(occurred_at, position, 0)) AS trigger_source,
    arg_max(target_id, story_key(occurred_at, position, 0)) AS trigger_id,
    arg_max(position, story_key(occurred_at, position, 0)) FILTER (WHERE fact IN ('message.planned', 'message.sent')) AS text_position,
    arg_max(position, story_key(occurred_at, position, 0)) FILTER (WHERE fact IN ('message.failed', 'message.suppressed'))
        AS reason_position
FROM facts
WHERE fact IN ('message.planned', 'message.sent', 'message.failed', 'message.suppressed')
GROUP BY first_position, about
