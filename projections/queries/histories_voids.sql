-- What does not count of several orders.
SELECT position FROM voids WHERE first_position IN (SELECT unnest($firsts::BIGINT[]))
