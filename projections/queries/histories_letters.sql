-- What customers were sent since a moment, of all orders that call a customer by one of some names: which of these are
-- theirs is for the asker to say. In no order.
SELECT first_position, message_id, letter, kind, sent_at
FROM messages
WHERE sent_at >= $since::TIMESTAMP
    AND first_position IN (
        SELECT first_position FROM chain.names
        WHERE kind = 'customer' AND name_key IN (SELECT hash(unnest($customers::VARCHAR[])))
    )
