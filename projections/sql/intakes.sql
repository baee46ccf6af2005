-- What the facts that opened an order say about it. The first to say a thing is believed.
SELECT
    first_position,
    arg_min(source, story_key(occurred_at, position, 0)) AS opened_by,
    min(occurred_at) AS opened_at,
    coalesce(
        arg_min(accountable, story_key(occurred_at, position, 0)),
        arg_min(source, story_key(occurred_at, position, 0))
    ) AS accountable,
    arg_min(customer, story_key(occurred_at, position, 0)) AS customer,
    arg_min(brand, story_key(occurred_at, position, 0)) AS brand,
    arg_min(model, story_key(occurred_at, position, 0)) AS model,
    arg_min(serial, story_key(occurred_at, position, 0)) AS serial,
    arg_min(fault_text, story_key(occurred_at, position, 0)) AS fault_text,
    arg_min(urgency, story_key(occurred_at, position, 0)) AS urgency
FROM facts
WHERE fact = 'order.opened'
GROUP BY first_position
