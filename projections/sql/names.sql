-- What an order may be called besides its id: a party's own reference, a serial number, the customer's reference.
WITH said_names AS (
    SELECT first_position, 'reference' AS kind, name, source AS party
    FROM facts
    WHERE fact = 'order.referenced'
    UNION ALL
    SELECT first_position, 'customer', name, source FROM facts WHERE fact = 'order.opened'
    UNION ALL
    SELECT first_position, 'serial', serial, '' FROM facts WHERE serial IS NOT NULL
    UNION ALL
    SELECT first_position, 'serial', name, '' FROM facts WHERE fact = 'unit.replaced'
    UNION ALL
    SELECT first_position, 'serial', unnest(from_json(items, '[{"serial": "VARCHAR"}]')).serial, ''
    FROM facts
    WHERE items IS NOT NULL
)
SELECT first_position, kind, name, party, hash(name) AS name_key
FROM said_names
WHERE name <> ''
GROUP BY first_position, kind, name, party
