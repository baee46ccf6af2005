-- What the time of something else may wait for, of several orders, in no order.
SELECT first_position, kind, owner
FROM commitments
WHERE kind IN ('decide', 'answer', 'cover') AND state IN ('open', 'paused')
    AND first_position IN (SELECT unnest($orders::BIGINT[]))
