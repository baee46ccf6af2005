-- What the customer was told, or was to be told. The texts stay in the log: `text_position` says where.
SELECT
    first_position,
    any_value(order_id) AS order_id,
    said.message AS message_id,
    arg_max(said.kind, story) AS kind,
    -- The last word counts, and a plan is no word about the sending.
    coalesce(split_part(arg_max(fact, story) FILTER (WHERE fact <> 'message.planned')::VARCHAR, '.', 2), 'planned') AS status,
    arg_max(said.channel, story) AS channel,
    arg_max(said.language, story) AS language,
    min(occurred_at) FILTER (WHERE fact = 'message.planned') AS planned_at,
    max(occurred_at) FILTER (WHERE fact = 'message.sent') AS sent_at,
    arg_max(said.next_news_by, story)::TIMESTAMP AS next_news_by,
    any_value(said.trigger_source) AS trigger_source,
    any_value(said.trigger_id) AS trigger_id,
    arg_max(position, story) FILTER (WHERE fact IN ('message.planned', 'message.sent')) AS text_position,
    arg_max(position, story) FILTER (WHERE fact IN ('message.failed', 'message.suppressed')) AS reason_position
FROM facts
WHERE fact IN ('message.planned', 'message.sent', 'message.failed', 'message.suppressed')
GROUP BY first_position, said.message
