-- Which facts of these orders were said of another id, one that became part of the order: by position.
SELECT position, order_id
FROM events
WHERE position BETWEEN $begin AND $end AND first_position IN (SELECT unnest($firsts::BIGINT[])) AND aside
