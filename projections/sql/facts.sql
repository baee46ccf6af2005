-- The facts that count: readable, said once, not taken back. Reads `raw` and `voids`. What the columns hold:
-- incoming_events.sql.
SELECT
    position, first_position, fact_key, fact, source, occurred_at,
    party, word, name, topic, by_when, from_when, serial, brand, model, items, fault_text, level, aside
FROM raw
ANTI JOIN voids USING (position)
WHERE version IS DISTINCT FROM 0
