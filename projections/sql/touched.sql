-- The orders that a batch speaks of, with their first and last position in it. Reads `arrived`, the batch taken apart.
-- Where an order began before the batch, mirror.py puts in its place.
SELECT
    order_id,
    hash(order_id) AS order_key,
    min(position) AS first_position,
    max(position) AS last_position,
    coalesce(bool_or(fact IN ('party.closed', 'policy.adopted')), false) AS announces
FROM arrived
GROUP BY order_id
