-- What does not count of one order.
SELECT position FROM voids WHERE first_position = $first
