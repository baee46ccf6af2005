-- One row per order: where it stands, who has it, what comes next, what its customer was told.
WITH about_orders AS (
    SELECT
        f.* EXCLUDE (id),
        s.code AS step,
        fact IN ('order.opened', 'order.closed', 'order.reopened') AS turns,
        fact IN ('order.opened', 'item.handed_over', 'item.received', 'item.returned') AS moves,
        fact = 'message.sent' OR (fact = 'customer.contacted' AND direction = 'outbound') AS tells
    FROM facts f
    LEFT JOIN status_of_fact s USING (fact)
    -- Closures and incidents have subjects of their own; an unknown fact about a party makes no order of the party.
    WHERE fact NOT IN ('party.closed', 'incident.declared', 'incident.resolved')
        OR (fact IS NULL AND NOT regexp_matches(order_id, '^(retailer|importer|repairer|customer|chain):'))
),
marks AS (
    SELECT
        first_position,
        any_value(order_id) AS order_id,
        count(*) AS facts,
        min(occurred_at) AS first_at,
        max(position) AS last_position,
        max(story + (fact = 'order.closed')::INTEGER) FILTER (turns) AS turn,
        arg_max(outcome, story) FILTER (fact = 'order.closed') AS outcome,
        max(story + step) AS step,
        max(story + enum_code(CASE waiting_for
            WHEN 'customer' THEN 'waiting_for_customer' WHEN 'part' THEN 'waiting_for_part' ELSE 'waiting'
        END::status_word)) FILTER (fact = 'work.paused') AS paused,
        max(story) FILTER (fact = 'work.resumed') AS resumed,
        arg_max(who, story) FILTER (fact = 'work.paused') AS awaited,
        max(story) FILTER (fact IN ('repair.completed', 'repair.failed')) AS mended,
        max(story) FILTER (fact = 'order.reopened') AS reopened,
        arg_max(CASE fact WHEN 'item.returned' THEN 'customer' ELSE source END, story) FILTER (moves) AS hands,
        max(story + (fact = 'item.handed_over')::INTEGER) FILTER (moves) AS moved,
        max(story) FILTER (tells) AS told,
        arg_max(coalesce(kind, 'contact'), story) FILTER (tells) AS last_told_kind,
        arg_max(next_news_by, story) FILTER (fact = 'message.sent') AS next_news_by,
        count_if(fact = 'message.sent') AS messages_sent,
        count_if(fact = 'customer.contacted' AND direction = 'inbound') AS contacts_started
    FROM about_orders
    GROUP BY first_position
    -- A correction alone makes no order: what it took back was all there was.
    HAVING count_if(fact IS DISTINCT FROM 'fact.corrected') > 0
),
turning AS (
    -- Only orders that were ever reopened have anything to count here.
    SELECT
        first_position,
        fact = 'order.reopened' AND lag(fact) OVER (PARTITION BY first_position ORDER BY story) = 'order.closed' AS reopens
    FROM facts
    WHERE fact IN ('order.opened', 'order.closed', 'order.reopened')
        AND first_position IN (SELECT first_position FROM facts WHERE fact = 'order.reopened')
),
reopenings AS (
    SELECT first_position, count_if(reopens) AS reopenings FROM turning GROUP BY first_position
),
passed_on AS (
    SELECT
        first_position,
        count(*) AS handoffs,
        count_if(ping_pong) AS ping_pongs,
        arg_max(to_party, stint) AS receiver,
        arg_max(state, stint) = 'received' AS arrived
    FROM handoffs
    GROUP BY first_position
),
owed AS (
    -- News is owed beside the work; the next step is what moves the work on.
    SELECT first_position, arg_min(kind, due) AS kind, arg_min(owed_by, due) AS owed_by, min(due) AS due
    FROM commitments
    WHERE state = 'open' AND kind <> 'news'
    GROUP BY first_position
),
placed AS (
    SELECT
        m.* EXCLUDE (hands),
        p.* EXCLUDE (first_position, arrived),
        i.* EXCLUDE (first_position),
        r.reopenings,
        story_code(m.turn) IS DISTINCT FROM 1 AS open,
        story_code(m.moved) = 1 AND NOT p.arrived AS under_way,
        CASE WHEN story_code(m.moved) = 1 AND p.arrived THEN p.receiver ELSE m.hands END AS holder,
        coalesce(m.paused > greatest(m.resumed, m.step, 0), false) AS is_paused,
        CASE
            WHEN NOT open THEN enum_code('closed'::status_word)
            WHEN is_paused THEN story_code(m.paused)
            WHEN m.step IS NULL THEN enum_code('taken_in'::status_word)
            WHEN story_code(m.step) NOT IN (enum_code('in_transit'::status_word), enum_code('received'::status_word)) THEN story_code(m.step)
            WHEN story_code(m.step) = enum_code('in_transit'::status_word) AND NOT p.arrived THEN enum_code('in_transit'::status_word)
            -- Back with whoever answers to the customer, and the work was done since the order was last taken in.
            WHEN holder = i.accountable AND m.mended > coalesce(m.reopened, 0) THEN enum_code('ready'::status_word)
            ELSE enum_code('received'::status_word)
        END AS code
    FROM marks m
    LEFT JOIN passed_on p ON p.first_position = m.first_position
    LEFT JOIN intakes i ON i.first_position = m.first_position
    LEFT JOIN reopenings r ON r.first_position = m.first_position
)
SELECT
    p.order_id,
    p.first_position,
    s.status,
    p.open,
    coalesce(story_moment(CASE WHEN NOT p.open THEN p.turn WHEN p.is_paused THEN p.paused ELSE p.step END), p.first_at) AS since,
    p.holder,
    CASE WHEN p.open AND p.under_way THEN p.receiver END AS heading_to,
    p.accountable,
    p.customer,
    p.opened_by,
    p.opened_at,
    CASE WHEN NOT p.open THEN story_moment(p.turn) END AS closed_at,
    CASE WHEN NOT p.open THEN p.outcome END AS outcome,
    p.product.brand AS brand,
    p.product.model AS model,
    p.product.serial AS serial,
    p.fault_text,
    p.urgency,
    CASE WHEN o.kind = 'receipt' AND p.open THEN 'confirm receipt' ELSE s.next_step END AS next_step,
    CASE
        WHEN o.owed_by IS NOT NULL AND p.open THEN o.owed_by
        WHEN s.owner = 'customer' THEN 'customer'
        WHEN s.owner = 'receiver' THEN p.receiver
        WHEN s.owner = 'awaited' THEN coalesce(p.awaited, p.holder)
        WHEN s.owner = 'accountable' THEN coalesce(p.accountable, p.holder)
        WHEN p.open THEN p.holder
    END AS next_owner,
    CASE WHEN p.open THEN o.due END AS next_due,
    story_moment(p.told) AS last_told_at,
    p.last_told_kind,
    CASE WHEN p.open THEN p.next_news_by END AS next_news_by,
    p.facts,
    coalesce(p.handoffs, 0) AS handoffs,
    coalesce(p.reopenings, 0) AS reopenings,
    coalesce(p.ping_pongs, 0) AS ping_pongs,
    p.contacts_started,
    p.messages_sent,
    p.last_position
FROM placed p
JOIN statuses s ON s.code = p.code
LEFT JOIN owed o ON o.first_position = p.first_position
