-- Orders that a party may have a part in, of which something was said since. Who was handed one by somebody who has no
-- part in it is among them: that is told apart by the whole chain of handovers.
SELECT
    o.order_id, o.last_position AS position, o.status, o.open, o.since, o.holder,
    o.first_position, o.opened_by, o.accountable
FROM orders o
WHERE o.last_position > $after
    AND (
        o.opened_by = $party OR o.accountable = $party
        OR o.first_position IN (SELECT first_position FROM handoffs WHERE to_party = $party)
    )
ORDER BY o.last_position
LIMIT $limit
