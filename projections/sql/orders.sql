-- One row per order: where it stands, who has it, what comes next, what its customer was told. `marks` has the first and
-- the last facts of its story that tell (marks.py).
WITH placed AS (
    SELECT
        *,
        NOT is_closed AS open,
        -- A handover whose receipt was timed before it has arrived.
        is_handed_over AND handoff <> 'received' AS under_way,
        CASE WHEN is_handed_over AND handoff = 'received' THEN receiver ELSE hands END AS holder,
        CASE
            WHEN is_closed THEN 'closed'
            WHEN is_paused THEN coalesce(pause, 'waiting')
            WHEN step IS NULL THEN 'taken_in'
            WHEN step = 'in_transit' AND under_way THEN step
            WHEN step NOT IN ('in_transit', 'received') THEN step
            -- Back with whoever answers to the customer, and no more is to be done since the order was last taken in.
            WHEN holder = accountable AND is_done THEN 'ready'
            ELSE 'received'
        END AS status
    FROM marks
)
SELECT
    b.order_id,
    p.first_position,
    s.status,
    p.open,
    coalesce(CASE WHEN p.is_closed THEN p.turn_at WHEN p.is_paused THEN p.paused_at ELSE p.step_at END, p.first_at) AS since,
    p.holder,
    CASE WHEN p.open AND p.under_way THEN p.receiver END AS heading_to,
    p.accountable,
    p.customer,
    p.opened_by,
    p.opened_at,
    CASE WHEN p.is_closed THEN p.turn_at END AS closed_at,
    CASE WHEN p.is_closed THEN p.outcome END AS outcome,
    p.brand,
    p.model,
    p.serial,
    p.fault_text,
    p.urgency,
    p.category,
    -- News is owed beside the work; the next step is what moves the work on, and a receipt that is owed comes first.
    CASE WHEN p.open AND p.handoff = 'open' THEN 'confirm receipt' ELSE s.next_step END AS next_step,
    CASE
        WHEN p.open AND p.handoff = 'open' THEN p.receiver
        WHEN s.owner = 'customer' THEN 'customer'
        WHEN s.owner = 'awaited' THEN coalesce(p.awaited, p.holder)
        WHEN s.owner = 'accountable' THEN coalesce(p.accountable, p.holder)
        WHEN p.open THEN p.holder
    END AS next_owner,
    p.told_at AS last_told_at,
    p.last_told_kind,
    CASE WHEN p.open THEN p.next_news_by END AS next_news_by,
    p.facts,
    p.handoffs,
    p.reopenings,
    p.ping_pongs,
    p.contacts_started,
    p.messages_sent,
    p.first_asked_at,
    p.first_message_at,
    p.first_answer_at,
    p.last_position
FROM placed p
JOIN statuses s ON s.status = p.status
JOIN subjects b ON b.first_position = p.first_position
-- An unknown fact about a party makes no order of the party.
WHERE p.known > 0 OR NOT regexp_matches(b.order_id, '^(retailer|importer|repairer|customer|chain):')
