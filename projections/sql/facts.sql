-- The facts that count: readable, said once, not taken back. Reads `raw` and `voids`.
-- `story` is the place of a fact in its order's story as one number that is never negative: when it happened (in
-- microseconds since the year 1), then its position, so that max() finds the last; the low byte is free for a code.
-- The fields are taken out of `said` before the join, so that a model reads from the file only those that it names.
SELECT said_facts.*
FROM (
    SELECT
        position, first_position, order_id, fact, source, id, occurred_at,
        (epoch_us(occurred_at) + 62135596800000000)::HUGEINT * 18446744073709551616 + position * 256 AS story,
        said."to" AS to_party,
        said.accountable, said.customer, said.product, said.items, said.fault_text, said.urgency,
        said.serial, said.old_serial, said.new_serial, said.reference,
        said.waiting_for, said.who, said.outcome, said.direction,
        said.message, said.kind, said.next_news_by::TIMESTAMP AS next_news_by,
        said.commitment, said.level,
        said."from"::TIMESTAMP AS from_when,
        said.until::TIMESTAMP AS until_when
    FROM raw
    WHERE type <> 'unreadable'
) AS said_facts
ANTI JOIN voids v ON v.position = said_facts.position
