-- What an order may be called besides its id: a party's own reference, a serial number, the customer's reference.
WITH said AS (
    SELECT first_position, order_id, 'reference' AS kind, reference AS name, source AS party
    FROM facts
    WHERE fact = 'order.referenced'
    UNION ALL
    SELECT first_position, order_id, 'customer', customer, source FROM facts WHERE fact = 'order.opened'
    UNION ALL
    SELECT first_position, order_id, 'serial', serial, NULL
    FROM facts
    WHERE fact IN ('order.opened', 'product.registered', 'registration.failed', 'unit.replaced')
    UNION ALL
    SELECT first_position, order_id, 'serial', old_serial, NULL FROM facts WHERE fact = 'unit.replaced'
    UNION ALL
    SELECT first_position, order_id, 'serial', unnest(from_json(items, '[{"serial": "VARCHAR"}]')).serial, NULL
    FROM facts
    WHERE fact = 'order.opened' AND items IS NOT NULL
)
SELECT first_position, order_id, kind, name, party, hash(name) AS name_key
FROM said
WHERE name <> ''
GROUP BY ALL
