-- The log's payloads of one batch, taken apart: one row per message, whatever it holds.
-- Reads `incoming` (position BIGINT, payload BLOB) and `vocabulary` (full_type, fact: the types that we can read).
-- try(…) makes NULL of what is not UTF-8 or not JSON; such a row is kept as type 'unreadable' and no model counts it.
WITH texts AS (
    SELECT position, payload, try(decode(payload)) AS text
    FROM incoming
),
parsed AS (
    SELECT
        position,
        payload,
        try(text -> 'data') AS data,
        try(from_json(text, '{
            "id": "VARCHAR", "source": "VARCHAR", "type": "VARCHAR", "subject": "VARCHAR",
            "time": "VARCHAR", "recordedtime": "VARCHAR", "correlationid": "VARCHAR", "causationid": "VARCHAR",
            "data": {
                "to": "VARCHAR", "accountable": "VARCHAR", "customer": "VARCHAR", "who": "VARCHAR",
                "product": {"brand": "VARCHAR", "model": "VARCHAR", "serial": "VARCHAR"}, "items": "VARCHAR",
                "serial": "VARCHAR", "old_serial": "VARCHAR", "new_serial": "VARCHAR",
                "model": "VARCHAR", "new_model": "VARCHAR",
                "fault_text": "VARCHAR", "urgency": "VARCHAR", "outcome": "VARCHAR", "reference": "VARCHAR",
                "waiting_for": "VARCHAR", "direction": "VARCHAR", "channel": "VARCHAR", "language": "VARCHAR",
                "kind": "VARCHAR", "level": "VARCHAR",
                "commitment": "VARCHAR", "message": "VARCHAR",
                "fact_source": "VARCHAR", "fact_id": "VARCHAR",
                "trigger_source": "VARCHAR", "trigger_id": "VARCHAR",
                "from": "VARCHAR", "until": "VARCHAR", "expected_by": "VARCHAR", "valid_until": "VARCHAR",
                "next_news_by": "VARCHAR"
            }
        }')) AS event
    FROM texts
),
envelopes AS (
    SELECT
        position,
        payload,
        data,
        event.data AS said,
        event.id AS id,
        event.source AS source,
        event.type AS full_type,
        event.subject AS subject,
        event.correlationid AS correlation_id,
        event.causationid AS causation_id,
        utc(event.time) AS time,
        utc(event.recordedtime) AS recordedtime
    FROM parsed
),
readable AS (
    SELECT
        *,
        id <> '' AND source <> '' AND full_type <> '' AND subject <> ''
            AND coalesce(time, recordedtime) IS NOT NULL AS is_readable
    FROM envelopes
)
SELECT
    e.position,
    coalesce(e.subject, '') AS order_id,
    CASE
        WHEN e.is_readable IS NOT TRUE THEN 'unreadable'
        ELSE coalesce(v.fact::VARCHAR, nullif(regexp_extract(e.full_type, '^repairchain\.(.+)\.v[0-9]+$', 1), ''), e.full_type)
    END AS type,
    CASE
        WHEN e.is_readable THEN try_cast(regexp_extract(e.full_type, '\.v([0-9]+)$', 1) AS INTEGER)
    END AS version,
    CASE WHEN e.is_readable THEN v.fact END AS fact,
    coalesce(e.source, '') AS source,
    coalesce(e.id, '') AS id,
    -- A fact cannot have happened after we knew it.
    coalesce(least(e.time, e.recordedtime), TIMESTAMP '1970-01-01') AS occurred_at,
    coalesce(e.recordedtime, e.time, TIMESTAMP '1970-01-01') AS recorded_at,
    e.correlation_id,
    e.causation_id,
    -- What could not be read is kept as text, with the bytes that are none written \xNN.
    CASE WHEN e.is_readable THEN e.data::VARCHAR ELSE to_json({'payload': e.payload::VARCHAR})::VARCHAR END AS data,
    hash(e.source, e.id, e.subject) AS fact_key,
    -- What the models need from the data, whichever fact it belongs to.
    e.said."to" AS to_party,
    e.said.accountable AS accountable,
    e.said.customer AS customer,
    e.said.who AS waiting_for_party,
    e.said.waiting_for AS waiting_for,
    e.said.product.brand AS brand,
    coalesce(e.said.product.model, e.said.new_model, e.said.model) AS model,
    coalesce(e.said.product.serial, e.said.new_serial, e.said.serial) AS serial,
    e.said.old_serial AS old_serial,
    e.said.items AS items,
    e.said.fault_text AS fault_text,
    e.said.urgency AS urgency,
    e.said.outcome AS outcome,
    e.said.reference AS reference,
    e.said.direction AS direction,
    e.said.channel AS channel,
    e.said.language AS language,
    e.said.kind AS kind,
    try_cast(e.said.level AS INTEGER) AS level,
    coalesce(e.said.message, e.said.commitment) AS about,
    coalesce(e.said.fact_source, e.said.trigger_source) AS target_source,
    coalesce(e.said.fact_id, e.said.trigger_id) AS target_id,
    utc(e.said."from") AS from_when,
    utc(coalesce(e.said.next_news_by, e.said.expected_by, e.said.valid_until, e.said.until)) AS by_when
FROM readable e
LEFT JOIN vocabulary v ON v.full_type = e.full_type
