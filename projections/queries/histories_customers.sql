-- Whose some orders are, in no order.
SELECT first_position, opened_by, customer
FROM orders
WHERE first_position IN (SELECT unnest($firsts::BIGINT[]))
