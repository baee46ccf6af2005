-- Under which ids orders go on that are one.
SELECT order_id, survivor FROM merged
