-- What the customer was told, or was to be told. The texts stay in the log; the positions say where.
WITH written AS (
    SELECT
        first_position, position, fact, name, word, topic, occurred_at, by_when,
        -- The place of a fact in its order's story as one number: when it happened, then its position.
        epoch_us(occurred_at)::HUGEINT * 18446744073709551616 + position AS story
    FROM facts
    WHERE fact IN (
        'message.planned', 'message.attempted', 'message.sent', 'message.failed', 'message.unknown', 'message.suppressed'
    )
)
SELECT
    first_position,
    name AS message_id,
    -- A message is of one kind; where facts of it name several, the first in its story counts.
    arg_min(word, story) AS kind,
    -- The last word counts; plans and attempts are no word about how it ended.
    coalesce(
        split_part(arg_max(CASE WHEN fact NOT IN ('message.planned', 'message.attempted') THEN fact END, story)::VARCHAR, '.', 2),
        'planned'
    ) AS status,
    min(CASE fact WHEN 'message.planned' THEN occurred_at END) AS planned_at,
    max(CASE fact WHEN 'message.sent' THEN occurred_at END) AS sent_at,
    arg_max(by_when, story) AS next_news_by,
    max(CASE fact WHEN 'message.sent' THEN topic END) AS letter,
    count_if(fact = 'message.attempted') AS attempts,
    count_if(fact = 'message.sent') AS sendings,
    max(CASE fact WHEN 'message.planned' THEN position END) AS planned_position,
    max(CASE fact WHEN 'message.sent' THEN position END) AS sent_position,
    max(CASE WHEN fact IN ('message.failed', 'message.unknown', 'message.suppressed') THEN position END) AS reason_position
FROM written
GROUP BY first_position, name
