-- Orders that a party may have a part in, of which something was said since. Who was handed one by somebody who has no
-- part in it is among them: that is told apart by the whole chain of handovers.
SELECT
    o.order_id, o.last_position AS position, o.status, o.open, o.since, o.holder,
    o.first_position, o.opened_by, o.accountable
FROM orders o
WHERE o.last_position > $after
    AND (
        o.opened_by = $party OR o.accountable = $party
        -- Told twice, it need not be looked for among the handovers of all orders.
        OR o.first_position IN (
            SELECT first_position FROM handoffs
            WHERE to_party = $party AND first_position IN (SELECT first_position FROM orders WHERE last_position > $after)
        )
    )
ORDER BY o.last_position
LIMIT $limit
