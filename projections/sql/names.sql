-- What an order may be called besides its id: a party's own reference, a serial number, the customer's reference.
WITH said_names AS (
    SELECT
        first_position,
        order_id,
        unnest(CASE fact
            WHEN 'order.referenced' THEN [{'kind': 'reference', 'name': reference, 'party': source}]
            WHEN 'order.opened' THEN [
                {'kind': 'customer', 'name': customer, 'party': source},
                {'kind': 'serial', 'name': product.serial, 'party': ''}
            ]
            ELSE [
                {'kind': 'serial', 'name': coalesce(new_serial, serial), 'party': ''},
                {'kind': 'serial', 'name': old_serial, 'party': ''}
            ]
        END, recursive := true)
    FROM facts
    WHERE fact IN ('order.referenced', 'order.opened', 'product.registered', 'registration.failed', 'unit.replaced')
    UNION ALL
    SELECT first_position, order_id, 'serial', unnest(items).serial, ''
    FROM facts
    WHERE fact = 'order.opened' AND items IS NOT NULL
)
SELECT first_position, any_value(order_id) AS order_id, kind, name, party, hash(name) AS name_key
FROM said_names
WHERE name <> ''
GROUP BY first_position, kind, name, party
