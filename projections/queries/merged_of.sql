-- The ids of those that became part of an order, in no order.
SELECT order_id FROM merged WHERE first_position = $first AND order_id <> survivor
