-- What the facts that opened an order say about it. The first to say a thing is believed.
SELECT
    first_position,
    arg_min(source, story) AS opened_by,
    min(occurred_at) AS opened_at,
    coalesce(arg_min(accountable, story), arg_min(source, story)) AS accountable,
    arg_min(customer, story) AS customer,
    arg_min(product, story) AS product,
    arg_min(fault_text, story) AS fault_text,
    arg_min(urgency, story) AS urgency
FROM facts
WHERE fact = 'order.opened'
GROUP BY first_position
