-- Every handover, made of the commitment to receive it. What that does not say is in `handover` (custody.py): its number
-- within the order, what became of it, whether the item went back to whom it was from, and whether it went to the
-- customer whoever that is.
SELECT
    position,
    first_position,
    handover // 16 AS stint,
    counterpart AS from_party,
    CASE WHEN handover % 2 = 1 THEN 'customer' ELSE owner END AS to_party,
    opened_at AS handed_at,
    -- When the sender expected it to arrive.
    first_promised_at AS expected_by,
    CASE WHEN state = 'met' THEN ended_at END AS received_at,
    CASE WHEN state = 'met' THEN (epoch_us(ended_at) - epoch_us(opened_at)) // 1000000 END AS wait_seconds,
    ['received', 'superseded', 'closed', 'open'][handover // 4 % 4 + 1] AS state,
    -- When the wait for it ended, however it did.
    ended_at AS settled_at,
    handover // 2 % 2 = 1 AS ping_pong
FROM commitments
WHERE handover IS NOT NULL
