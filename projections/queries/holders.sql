-- Who has had one order from when on: from a handover on, the receiver; nobody once it is closed. Moments in microseconds.
SELECT
    epoch_us(occurred_at) AS moment, position,
    CASE fact
        WHEN 'item.handed_over' THEN party
        WHEN 'item.returned' THEN 'customer'
        WHEN 'order.closed' THEN ''
        ELSE source
    END AS holder
FROM facts
WHERE fact IN ('order.opened', 'order.reopened', 'item.handed_over', 'item.received', 'item.returned', 'order.closed')
    AND first_position = $first AND position BETWEEN $first AND $last
