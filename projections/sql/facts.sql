-- The facts that count: readable, said once, not taken back. Reads `raw` and `voids`. What the columns hold:
-- incoming_events.sql.
-- `story` is the place of a fact in its order's story as one number that is never negative: when it happened (in
-- microseconds since the year 1), then its position, so that max() finds the last.
SELECT
    position, first_position, fact_key, fact, source, occurred_at,
    (epoch_us(occurred_at) + 62135596800000000)::HUGEINT * 18446744073709551616 + position * 256 AS story,
    party, word, name, topic, by_when, from_when, serial, brand, model, items, fault_text, level, aside
FROM raw
ANTI JOIN voids USING (position)
WHERE version IS DISTINCT FROM 0
