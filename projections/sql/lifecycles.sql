-- How an order began and whether it is over: what the facts that opened, closed and reopened it say. Of its openings, the
-- first to say a thing is believed. `turn` is the story key of the last such fact; its code is 1 for a close.
WITH turns AS (
    SELECT
        first_position, story, source, occurred_at, accountable, customer, product, fault_text, urgency, outcome,
        fact = 'order.opened' AS opens,
        fact = 'order.closed' AS closes
    FROM facts
    WHERE fact IN ('order.opened', 'order.closed', 'order.reopened')
)
SELECT
    first_position,
    arg_min(source, story) FILTER (opens) AS opened_by,
    min(occurred_at) FILTER (opens) AS opened_at,
    coalesce(arg_min(accountable, story) FILTER (opens), arg_min(source, story) FILTER (opens)) AS accountable,
    arg_min(customer, story) FILTER (opens) AS customer,
    arg_min(product, story) FILTER (opens) AS product,
    arg_min(fault_text, story) FILTER (opens) AS fault_text,
    arg_min(urgency, story) FILTER (opens) AS urgency,
    max(story + closes::INTEGER) AS turn,
    arg_max(outcome, story) FILTER (closes) AS outcome,
    -- The closes and reopenings in order, as c and r: each r that follows a c reopened the order.
    string_agg(CASE WHEN closes THEN 'c' ELSE 'r' END, '' ORDER BY story) FILTER (NOT opens) AS ups_and_downs,
    (length(ups_and_downs) - length(replace(ups_and_downs, 'cr', ''))) // 2 AS reopenings,
    max(story) FILTER (NOT opens AND NOT closes) AS reopened
FROM turns
GROUP BY first_position
