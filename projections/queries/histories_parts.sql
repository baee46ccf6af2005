-- The ids of those that became part of several orders, in no order.
SELECT first_position, order_id
FROM chain.merged
WHERE order_id <> survivor AND first_position IN (SELECT unnest($firsts::BIGINT[]))
