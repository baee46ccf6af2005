-- The orders that a batch speaks of, with their first and last position in the log. Reads `incoming`, like
-- incoming_events.sql and with the same functions, so that both find the same subject in the same payload.
CREATE OR REPLACE TEMP TABLE touched AS
WITH headed AS (
    SELECT position, try(from_json(try(decode(payload)), '{"subject": "VARCHAR", "type": "VARCHAR"}')) AS event
    FROM incoming
),
spoken AS (
    SELECT
        coalesce(event.subject, '') AS order_id,
        hash(coalesce(event.subject, '')) AS order_key,
        min(position) AS first_position,
        max(position) AS last_position,
        coalesce(bool_or(starts_with(event.type, 'repairchain.party.closed.')), false) AS announces
    FROM headed
    GROUP BY ALL
)
SELECT
    b.order_id,
    b.order_key,
    coalesce(s.first_position, b.first_position) AS first_position,
    b.last_position,
    b.announces OR coalesce(s.announces, false) AS announces
FROM spoken b
LEFT JOIN chain.subjects s ON s.order_key = b.order_key AND s.order_id = b.order_id
