-- Contacts with the customer outside our messages, and who started them.
SELECT
    position,
    first_position,
    occurred_at AS contacted_at,
    source AS party,
    word AS direction
FROM facts
WHERE fact = 'customer.contacted'
