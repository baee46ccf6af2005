-- One row per order: where it stands, who has it, what comes next, what its customer was told.
WITH about_orders AS (
    SELECT
        first_position, order_id, position, story, fact, source, occurred_at,
        accountable, customer, product, fault_text, urgency, outcome, waiting_for, who, direction, kind, next_news_by,
        s.code AS step,
        fact = 'order.opened' AS opens,
        fact = 'order.closed' AS closes,
        fact = 'order.reopened' AS reopens,
        fact IN ('order.opened', 'item.handed_over', 'item.received', 'item.returned') AS moves,
        fact = 'message.sent' OR (fact = 'customer.contacted' AND direction = 'outbound') AS tells
    FROM facts
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
        -- Of several openings, the first to say a thing is believed.
        arg_min(source, story) FILTER (opens) AS opened_by,
        min(occurred_at) FILTER (opens) AS opened_at,
        arg_min(accountable, story) FILTER (opens) AS named_accountable,
        arg_min(customer, story) FILTER (opens) AS customer,
        arg_min(product, story) FILTER (opens) AS product,
        arg_min(fault_text, story) FILTER (opens) AS fault_text,
        arg_min(urgency, story) FILTER (opens) AS urgency,
        -- The last turn, and whether it closed the order (1); and the turns that decide how often it was reopened.
        max(story + closes::INTEGER) FILTER (opens OR closes OR reopens) AS turn,
        list(story + closes::INTEGER) FILTER (closes OR reopens) AS turns,
        max(story) FILTER (reopens) AS reopened,
        arg_max(outcome, story) FILTER (closes) AS outcome,
        max(story + step) AS step,
        max(story + enum_code(CASE waiting_for
            WHEN 'customer' THEN 'waiting_for_customer' WHEN 'part' THEN 'waiting_for_part' ELSE 'waiting'
        END::status_word)) FILTER (fact = 'work.paused') AS paused,
        max(story) FILTER (fact = 'work.resumed') AS resumed,
        arg_max(who, story) FILTER (fact = 'work.paused') AS awaited,
        max(story) FILTER (fact IN ('repair.completed', 'repair.failed')) AS mended,
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
passed_on AS (
    SELECT
        first_position,
        count(*) AS handoffs,
        count_if(ping_pong) AS ping_pongs,
        arg_max(to_party, stint) AS receiver,
        arg_max(state, stint) AS state,
        arg_max(due, stint) AS due
    FROM handoffs
    GROUP BY first_position
),
placed AS (
    SELECT
        m.* EXCLUDE (hands),
        p.* EXCLUDE (first_position),
        coalesce(m.named_accountable, m.opened_by) AS accountable,
        story_code(m.turn) IS DISTINCT FROM 1 AS open,
        -- A handover whose receipt was timed before it has arrived.
        story_code(m.moved) = 1 AND p.state <> 'received' AS under_way,
        CASE WHEN story_code(m.moved) = 1 AND p.state = 'received' THEN p.receiver ELSE m.hands END AS holder,
        coalesce(m.paused > greatest(m.resumed, m.step, 0), false) AS is_paused,
        story_code(m.step) AS last_step,
        CASE
            WHEN NOT open THEN enum_code('closed'::status_word)
            WHEN is_paused THEN story_code(m.paused)
            WHEN last_step IS NULL THEN enum_code('taken_in'::status_word)
            WHEN last_step = enum_code('in_transit'::status_word) AND under_way THEN last_step
            WHEN last_step NOT IN (enum_code('in_transit'::status_word), enum_code('received'::status_word)) THEN last_step
            -- Back with whoever answers to the customer, and the work was done since the order was last taken in.
            WHEN holder = accountable AND m.mended > coalesce(m.reopened, 0) THEN enum_code('ready'::status_word)
            ELSE enum_code('received'::status_word)
        END AS code
    FROM marks m
    LEFT JOIN passed_on p ON p.first_position = m.first_position
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
    -- News is owed beside the work; the next step is what moves the work on, and a receipt that is owed comes first.
    CASE WHEN p.open AND p.state = 'open' THEN 'confirm receipt' ELSE s.next_step END AS next_step,
    CASE
        WHEN p.open AND p.state = 'open' THEN p.receiver
        WHEN s.owner = 'customer' THEN 'customer'
        WHEN s.owner = 'awaited' THEN coalesce(p.awaited, p.holder)
        WHEN s.owner = 'accountable' THEN coalesce(p.accountable, p.holder)
        WHEN p.open THEN p.holder
    END AS next_owner,
    CASE WHEN p.open AND p.state = 'open' THEN p.due END AS next_due,
    story_moment(p.told) AS last_told_at,
    p.last_told_kind,
    CASE WHEN p.open THEN p.next_news_by END AS next_news_by,
    p.facts,
    coalesce(p.handoffs, 0) AS handoffs,
    CASE WHEN p.reopened IS NULL THEN 0 ELSE reopenings(p.turns) END AS reopenings,
    coalesce(p.ping_pongs, 0) AS ping_pongs,
    p.contacts_started,
    p.messages_sent,
    p.last_position
FROM placed p
JOIN statuses s ON s.code = p.code
