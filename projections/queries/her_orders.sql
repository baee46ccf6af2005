-- The orders that a party opened for a customer to whom it gave a number, the latest first; of several customers at once:
-- place by place, $openers has the party, $customers its number for her.
WITH asked AS (SELECT unnest($openers::VARCHAR[]) AS opener, unnest($customers::VARCHAR[]) AS customer)
SELECT DISTINCT
    o.opened_by, o.customer,
    s.order_id, o.open, o.status, o.opened_at, o.since, o.holder, o.heading_to, o.brand, o.model, o.serial, o.handoffs,
    s.first_position, o.last_position
FROM asked a
JOIN chain.names n ON n.name_key = hash(a.customer) AND n.name = a.customer AND n.kind = 'customer'
JOIN chain.subjects s ON s.first_position = n.first_position
JOIN orders o ON o.first_position = s.first_position AND o.opened_by = a.opener AND o.customer = a.customer
ORDER BY s.first_position DESC
