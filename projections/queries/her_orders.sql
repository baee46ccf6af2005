-- The orders that one party opened for the customer to whom it gave this number, the latest first.
SELECT DISTINCT
    s.order_id, o.open, o.status, o.opened_at, o.since, o.holder, o.heading_to, o.brand, o.model, o.serial, o.handoffs,
    s.first_position, o.last_position
FROM chain.names n
JOIN chain.subjects s ON s.first_position = n.first_position
JOIN orders o ON o.first_position = s.first_position
WHERE n.name_key = hash($customer::VARCHAR) AND n.name = $customer AND n.kind = 'customer'
    AND o.opened_by = $opener AND o.customer = $customer
ORDER BY s.first_position DESC
