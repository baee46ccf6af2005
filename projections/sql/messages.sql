-- What the customer was told, or was to be told. The texts stay in the log; the positions say where.
SELECT
    first_position,
    any_value(order_id) AS order_id,
    message AS message_id,
    any_value(kind) AS kind,
    -- The last word counts, and a plan is no word about the sending.
    coalesce(split_part(arg_max(fact, story) FILTER (fact <> 'message.planned')::VARCHAR, '.', 2), 'planned') AS status,
    min(occurred_at) FILTER (fact = 'message.planned') AS planned_at,
    max(occurred_at) FILTER (fact = 'message.sent') AS sent_at,
    arg_max(next_news_by, story) AS next_news_by,
    max(position) FILTER (fact = 'message.planned') AS planned_position,
    max(position) FILTER (fact = 'message.sent') AS sent_position,
    max(position) FILTER (fact IN ('message.failed', 'message.suppressed')) AS reason_position
FROM facts
WHERE fact IN ('message.planned', 'message.sent', 'message.failed', 'message.suppressed')
GROUP BY first_position, message
