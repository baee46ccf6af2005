-- The policies that were adopted, one after the other. Each holds until the next; what was settled before keeps its own.
SELECT f.position, f.first_position, f.occurred_at AS adopted_at, e.data ->> 'digest' AS digest, e.data -> 'policy' AS policy
FROM facts f
JOIN chain.events e ON e.position = f.position
WHERE f.fact = 'policy.adopted' AND e.order_id = 'chain:policy' AND json_type(e.data::JSON, '$.policy') = 'OBJECT'
