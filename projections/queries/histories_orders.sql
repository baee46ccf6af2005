-- Where these orders stand as far as it matters for messages, in no order.
SELECT first_position, status, open, holder, accountable, customer, opened_by, outcome, urgency, category
FROM orders
WHERE first_position IN (SELECT unnest($firsts::BIGINT[]))
