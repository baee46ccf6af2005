-- The log's payloads of one batch, taken apart: one row per message, whatever it holds.
-- Reads `incoming` (position BIGINT, payload BLOB) and `vocabulary` (full_type, fact: the types that we can read).
-- try(…) makes NULL of what is not UTF-8 or not JSON; such a row is kept as type 'unreadable' and no model counts it.
-- A field of another shape than expected is NULL in its column, and whole in `data`.
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
                "product": {"brand": "VARCHAR", "model": "VARCHAR", "serial": "VARCHAR", "category": "VARCHAR"},
                "items": "VARCHAR", "item": "VARCHAR", "at_home": "BOOLEAN",
                "serial": "VARCHAR", "old_serial": "VARCHAR", "new_serial": "VARCHAR",
                "fault_text": "VARCHAR", "urgency": "VARCHAR", "outcome": "VARCHAR", "reference": "VARCHAR", "into": "VARCHAR",
                "waiting_for": "VARCHAR", "direction": "VARCHAR", "holds": "BOOLEAN", "decider": "VARCHAR", "options": "VARCHAR[]",
                "commitment": "VARCHAR", "level": "INTEGER", "message": "VARCHAR", "letter": "VARCHAR", "kind": "VARCHAR",
                "question": "VARCHAR", "visit": "VARCHAR", "promise": "VARCHAR", "part": "VARCHAR",
                "next_news_by": "TIMESTAMPTZ", "by_when": "TIMESTAMPTZ", "expected_by": "TIMESTAMPTZ",
                "due": "TIMESTAMPTZ", "valid_until": "TIMESTAMPTZ",
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
),
known AS (
    SELECT
        e.*,
        v.name, v.version, v.fact,
        -- A version that we cannot read means nothing by fields that look familiar.
        CASE WHEN v.fact IS NOT NULL AND e.is_readable THEN e.said END AS d
    FROM envelopes e
    LEFT JOIN vocabulary v ON v.full_type = e.full_type
)
SELECT
    e.position,
    coalesce(e.subject, '') AS order_id,
    -- Not kept: `subjects` has it.
    hash(coalesce(e.subject, '')) AS order_key,
    CASE
        WHEN e.name IS NOT NULL AND e.is_readable THEN e.name
        WHEN e.is_readable THEN coalesce(nullif(regexp_extract(e.full_type, '^repairchain\.(.+)\.v[0-9]+$', 1), ''), e.full_type)
        ELSE 'unreadable'
    END AS type,
    -- 0 marks what could not be read.
    CASE
        WHEN e.version IS NOT NULL AND e.is_readable THEN e.version
        WHEN e.is_readable THEN try_cast(regexp_extract(e.full_type, '\.v([0-9]+)$', 1) AS INTEGER)
        ELSE 0
    END AS version,
    CASE WHEN e.is_readable THEN e.fact END AS fact,
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
    -- What the models need of the data, in few columns, for each column is a price on every read. No fact has two of
    -- those that share one.
    -- party: the other party that is named (who it goes to, who is accountable, who is waited for, who decides)
    -- word: the word that tells how (the outcome, what is waited for, the direction, the kind, the urgency, yes or no,
    -- whether she has a choice)
    -- name: the name that is given (the customer's, a reference, a message's, a commitment's, the serial replaced, the order
    -- that goes on, of several things the one that it is about)
    -- topic: what it is about, of several (a question, a visit, a promise, a part; of an order the category; of a message
    -- the one in whose letter it went; of several things the one that was replaced)
    -- level: how far something is overdue; of an order 1, if it is mended where she has it
    -- by_when: the moment that is named (of the next news, of what is promised or expected, the end of a span)
    coalesce(e.d."to", e.d.accountable, e.d.who, e.d.decider) AS party,
    coalesce(
        e.d.outcome, e.d.waiting_for, e.d.direction, e.d.kind, e.d.urgency, CASE e.d.holds WHEN true THEN 'yes' WHEN false THEN 'no' END,
        CASE WHEN e.fact = 'repair.failed' THEN if(len(e.d.options) > 0, 'choice', 'no choice') END
    ) AS word,
    coalesce(e.d.customer, e.d.reference, e.d.message, e.d.commitment, e.d.old_serial, e.d."into",
        CASE WHEN e.fact IN (
            'item.handed_over', 'item.received', 'item.returned', 'diagnosis.made', 'part.ordered', 'part.arrived', 'part.rejected',
            'repair.started', 'repair.completed', 'repair.failed'
        ) THEN e.d.item END) AS name,
    coalesce(e.d.question, e.d.visit, e.d.promise, e.d.part, e.d.letter, e.d.product.category,
        CASE WHEN e.fact = 'unit.replaced' THEN e.d.item END) AS topic,
    within_years_or_null(
        coalesce(e.d.next_news_by, e.d.until, e.d.by_when, e.d.expected_by, e.d.due, e.d.valid_until)
    ) AS by_when,
    within_years_or_null(e.d."from") AS from_when,
    coalesce(e.d.product.serial, e.d.new_serial, e.d.serial) AS serial,
    e.d.product.brand AS brand,
    e.d.product.model AS model,
    e.d.items AS items,
    e.d.fault_text AS fault_text,
    coalesce(e.d.level, CASE WHEN e.d.at_home THEN 1 END) AS level,
    e.d.fact_source AS target_source,
    e.d.fact_id AS target_id
FROM known e
