-- The log's payloads of one batch, taken apart: one row per message, whatever it holds.
-- Reads `incoming` (position BIGINT, payload BLOB) and `vocabulary` (full_type, fact: the types that we can read).
-- try(…) makes NULL of what is not UTF-8 or not JSON; such a row is kept as type 'unreadable' and no model counts it.
-- `said` is what the models need of the data, typed; a field of another shape is NULL there, and whole in `data`.
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
            "time": "TIMESTAMPTZ", "recordedtime": "TIMESTAMPTZ", "correlationid": "VARCHAR", "causationid": "VARCHAR",
            "data": {
                "to": "VARCHAR", "accountable": "VARCHAR", "customer": "VARCHAR", "who": "VARCHAR",
                "product": {"brand": "VARCHAR", "model": "VARCHAR", "serial": "VARCHAR"},
                "items": [{"serial": "VARCHAR"}],
                "serial": "VARCHAR", "old_serial": "VARCHAR", "new_serial": "VARCHAR",
                "fault_text": "VARCHAR", "urgency": "VARCHAR", "outcome": "VARCHAR", "reference": "VARCHAR",
                "waiting_for": "VARCHAR", "direction": "VARCHAR",
                "commitment": "VARCHAR", "level": "INTEGER", "message": "VARCHAR", "kind": "VARCHAR",
                "next_news_by": "TIMESTAMPTZ",
                "fact_source": "VARCHAR", "fact_id": "VARCHAR",
                "from": "TIMESTAMPTZ", "until": "TIMESTAMPTZ"
            }
        }')) AS event
    FROM texts
),
envelopes AS (
    SELECT
        position, payload, data,
        event.id, event.source, event.type AS full_type, event.subject AS subject,
        event.time, event.recordedtime, event.correlationid, event.causationid,
        event.data AS said,
        event.id <> '' AND event.source <> '' AND event.type <> '' AND event.subject <> ''
            AND coalesce(event.time, event.recordedtime) IS NOT NULL AS is_readable
    FROM parsed
)
SELECT
    e.position,
    coalesce(e.subject, '') AS order_id,
    CASE
        WHEN NOT coalesce(e.is_readable, false) THEN 'unreadable'
        ELSE coalesce(v.name, nullif(regexp_extract(e.full_type, '^repairchain\.(.+)\.v[0-9]+$', 1), ''), e.full_type)
    END AS type,
    CASE WHEN e.is_readable THEN coalesce(v.version, try_cast(regexp_extract(e.full_type, '\.v([0-9]+)$', 1) AS INTEGER)) END
        AS version,
    CASE WHEN e.is_readable THEN v.fact END AS fact,
    coalesce(e.source, '') AS source,
    coalesce(e.id, '') AS id,
    -- A fact cannot have happened after we knew it.
    within_years(least(e.time, e.recordedtime)) AS occurred_at,
    within_years(coalesce(e.recordedtime, e.time)) AS recorded_at,
    e.correlationid AS correlation_id,
    e.causationid AS causation_id,
    -- What could not be read is kept as text, with the bytes that are none written \xNN.
    CASE WHEN e.is_readable THEN e.data::VARCHAR ELSE to_json({'payload': e.payload::VARCHAR})::VARCHAR END AS data,
    hash(e.source, e.id, e.subject) AS fact_key,
    CASE WHEN e.is_readable THEN e.said END AS said
FROM envelopes e
LEFT JOIN vocabulary v ON v.full_type = e.full_type
