-- Facts that do not count, and why: duplicates of an earlier one, and facts that a correction takes back.
-- Reads `raw`, all events of the orders in question; everything is settled within one order.
WITH repeated AS (
    SELECT fact_key FROM raw GROUP BY fact_key HAVING count(*) > 1
),
copies AS (
    -- Hashes can collide, so the few repeated ones are compared in full.
    SELECT
        position,
        first_position,
        row_number() OVER same_fact AS nth,
        first_value(position) OVER same_fact AS original
    FROM raw
    WHERE fact_key IN (FROM repeated) AND version IS DISTINCT FROM 0
    WINDOW same_fact AS (PARTITION BY first_position, source, id, fact_key ORDER BY position)
),
duplicates AS (
    SELECT position, first_position, original FROM copies WHERE nth > 1
),
corrections AS (
    -- A party takes back its own facts only; the chain itself any.
    SELECT
        position, first_position, source, id,
        coalesce(target_source, source) AS target_source, target_id
    FROM raw
    WHERE fact = 'fact.corrected'
        AND (target_source IS NULL OR target_source = source OR starts_with(source, 'chain:'))
        AND position NOT IN (SELECT position FROM duplicates)
),
targets AS (
    SELECT
        wrong.position,
        wrong.first_position,
        wrong.fact IS NOT DISTINCT FROM 'fact.corrected' AS is_correction,
        c.position AS by_position
    FROM corrections c
    JOIN raw wrong
        ON wrong.first_position = c.first_position AND wrong.source = c.target_source AND wrong.id = c.target_id
    WHERE wrong.version IS DISTINCT FROM 0 AND wrong.position NOT IN (SELECT position FROM duplicates)
),
taken_back AS (
    -- A correction that is itself corrected is void. It cannot be reinstated: correct the fact anew.
    SELECT position, first_position, by_position, 'retracted' AS why FROM targets WHERE is_correction
    UNION ALL
    SELECT position, first_position, by_position, 'corrected' AS why
    FROM targets
    WHERE NOT is_correction AND by_position NOT IN (SELECT position FROM targets WHERE is_correction)
)
SELECT position, first_position, why, min(by_position) AS by_position
FROM taken_back
GROUP BY ALL
UNION ALL
SELECT position, first_position, 'duplicate', original FROM duplicates
