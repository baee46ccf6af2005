-- The orders that a batch speaks of, with their first and last position in the log. Reads `arrived`, the batch taken apart.
WITH spoken AS (
    SELECT
        order_id,
        hash(order_id) AS order_key,
        min(position) AS first_position,
        max(position) AS last_position,
        coalesce(bool_or(fact IN ('party.closed', 'policy.adopted')), false) AS announces
    FROM arrived
    GROUP BY order_id
)
SELECT
    b.order_id,
    b.order_key,
    coalesce(s.first_position, b.first_position) AS first_position,
    b.last_position,
    b.announces OR coalesce(s.announces, false) AS announces
FROM spoken b
LEFT JOIN chain.subjects s ON s.order_key = b.order_key AND s.order_id = b.order_id
