-- The facts that count: readable, said once, not taken back. Reads `raw` and `voids`.
-- `story` is the place of a fact in its order's story as one number that is never negative: when it happened (in
-- microseconds since the year 1), then its position, so that max() finds the last; the low byte is free for a code.
SELECT
    position, first_position, order_id, fact, source, id, occurred_at, said,
    (epoch_us(occurred_at) + 62135596800000000)::HUGEINT * 18446744073709551616 + position * 256 AS story
FROM raw
WHERE type <> 'unreadable' AND NOT EXISTS (FROM voids v WHERE v.position = raw.position)
