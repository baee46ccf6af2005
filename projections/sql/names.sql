-- What an order may be called besides its id: a party's own reference, a serial number, the customer's reference.
WITH said_names AS (
    SELECT
        first_position,
        order_id,
        unnest(CASE fact
            WHEN 'order.referenced' THEN [{'kind': 'reference', 'name': said.reference, 'party': source}]
            WHEN 'order.opened' THEN [
                {'kind': 'customer', 'name': said.customer, 'party': source},
                {'kind': 'serial', 'name': said.product.serial, 'party': ''}
            ]
            ELSE [
                {'kind': 'serial', 'name': coalesce(said.new_serial, said.serial), 'party': ''},
                {'kind': 'serial', 'name': said.old_serial, 'party': ''}
            ]
        END, recursive := true)
    FROM facts
    WHERE fact IN ('order.referenced', 'order.opened', 'product.registered', 'registration.failed', 'unit.replaced')
    UNION ALL
    SELECT first_position, order_id, 'serial', unnest(said.items).serial, ''
    FROM facts
    WHERE fact = 'order.opened' AND said.items IS NOT NULL
)
SELECT first_position, any_value(order_id) AS order_id, kind, name, party, hash(name) AS name_key
FROM said_names
WHERE name <> ''
GROUP BY first_position, kind, name, party
