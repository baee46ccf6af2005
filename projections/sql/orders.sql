-- One row per order: where it stands, who has it, what comes next, what its customer was told.
WITH about_orders AS (
    SELECT
        *,
        story_key(occurred_at, position, 0) AS story,
        -- What this fact makes of the order, if it bears on its status.
        CASE fact
            WHEN 'order.opened' THEN 'taken_in'
            WHEN 'item.handed_over' THEN 'in_transit'
            WHEN 'item.received' THEN 'received'
            WHEN 'item.returned' THEN 'returned'
            WHEN 'diagnosis.made' THEN 'diagnosed'
            WHEN 'quote.offered' THEN 'waiting_for_approval'
            WHEN 'quote.accepted' THEN 'approved'
            WHEN 'quote.declined' THEN 'quote_declined'
            WHEN 'part.ordered' THEN 'waiting_for_part'
            WHEN 'part.rejected' THEN 'waiting_for_part'
            WHEN 'part.arrived' THEN 'part_arrived'
            WHEN 'repair.started' THEN 'in_repair'
            WHEN 'repair.completed' THEN 'repaired'
            WHEN 'repair.failed' THEN 'repair_failed'
            WHEN 'order.reopened' THEN 'reopened'
        END::status_word AS step
    FROM facts
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
        max(story + (fact = 'order.closed')::INTEGER) FILTER (WHERE fact IN ('order.opened', 'order.closed', 'order.reopened'))
            AS phase,
        max(story + enum_code(step)) FILTER (WHERE step IS NOT NULL) AS step,
        max(story + CASE waiting_for WHEN 'customer' THEN 1 WHEN 'part' THEN 2 ELSE 3 END) FILTER (WHERE fact = 'work.paused')
            AS paused,
        max(story) FILTER (WHERE fact = 'work.resumed') AS resumed,
        max(story) FILTER (WHERE fact IN ('repair.completed', 'repair.failed')) AS mended,
        max(story) FILTER (WHERE fact = 'order.reopened') AS reopened,
        arg_max(source, story) FILTER (WHERE fact IN ('order.opened', 'item.handed_over', 'item.received')) AS hands,
        max(story + CASE fact WHEN 'item.handed_over' THEN 1 WHEN 'item.returned' THEN 2 ELSE 0 END)
            FILTER (WHERE fact IN ('order.opened', 'item.handed_over', 'item.received', 'item.returned')) AS custody,
        arg_max(waiting_for_party, story) FILTER (WHERE fact = 'work.paused') AS waiting_for_party,
        arg_max(outcome, story) FILTER (WHERE fact = 'order.closed') AS outcome,
        max(story) FILTER (WHERE fact = 'message.sent' OR (fact = 'customer.contacted' AND direction = 'outbound')) AS told,
        arg_max(CASE fact WHEN 'message.sent' THEN kind ELSE 'contact' END, story)
            FILTER (WHERE fact = 'message.sent' OR (fact = 'customer.contacted' AND direction = 'outbound')) AS told_kind,
        arg_max(by_when, story) FILTER (WHERE fact = 'message.sent') AS next_news_by,
        count(*) FILTER (WHERE fact = 'message.sent') AS messages_sent,
        count(*) FILTER (WHERE fact = 'customer.contacted' AND direction = 'inbound') AS contacts_started
    FROM about_orders
    GROUP BY first_position
    -- A correction alone makes no order: what it took back was all there was.
    HAVING count(*) FILTER (WHERE fact IS DISTINCT FROM 'fact.corrected') > 0
),
turns AS (
    -- Only orders that were ever reopened have anything to count here.
    SELECT first_position, fact, lag(fact) OVER (PARTITION BY first_position ORDER BY occurred_at, position) AS before
    FROM facts
    WHERE fact IN ('order.opened', 'order.closed', 'order.reopened')
        AND first_position IN (SELECT first_position FROM facts WHERE fact = 'order.reopened')
),
reopenings AS (
    SELECT first_position, count(*) AS reopenings
    FROM turns
    WHERE fact = 'order.reopened' AND before = 'order.closed'
    GROUP BY first_position
),
passed_on AS (
    SELECT
        first_position,
        count(*) AS handoffs,
        count(*) FILTER (WHERE ping_pong) AS ping_pongs,
        any_value(to_party) FILTER (WHERE is_latest) AS to_party,
        bool_or(is_latest AND state = 'received') AS arrived
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
        m.*,
        i.* EXCLUDE (first_position),
        o.kind AS owed_kind,
        o.owed_by,
        o.due AS owed_due,
        coalesce(r.reopenings, 0) AS reopenings,
        coalesce(p.handoffs, 0) AS handoffs,
        coalesce(p.ping_pongs, 0) AS ping_pongs,
        coalesce(key_word(m.phase), 0) = 0 AS open,
        key_word(m.custody) = 1 AND NOT p.arrived AS under_way,
        CASE
            WHEN key_word(m.custody) = 2 THEN 'customer'
            WHEN key_word(m.custody) = 1 AND p.arrived THEN p.to_party
            ELSE m.hands
        END AS holder,
        p.to_party,
        coalesce(p.arrived, false) AS arrived,
        coalesce(m.paused > greatest(coalesce(m.resumed, 0), coalesce(m.step, 0)), false) AS is_paused,
        enum_range(NULL::status_word)[key_word(m.step) + 1]::VARCHAR AS last_step
    FROM marks m
    LEFT JOIN intakes i ON i.first_position = m.first_position
    LEFT JOIN reopenings r ON r.first_position = m.first_position
    LEFT JOIN passed_on p ON p.first_position = m.first_position
    LEFT JOIN owed o ON o.first_position = m.first_position
),
stated AS (
    SELECT
        *,
        CASE
            WHEN NOT open THEN 'closed'
            WHEN is_paused AND key_word(paused) = 1 THEN 'waiting_for_customer'
            WHEN is_paused AND key_word(paused) = 2 THEN 'waiting_for_part'
            WHEN is_paused THEN 'waiting'
            WHEN last_step IS NULL THEN 'taken_in'
            WHEN last_step = 'in_transit' AND NOT arrived THEN 'in_transit'
            WHEN last_step NOT IN ('in_transit', 'received') THEN last_step
            -- Back with whoever answers to the customer, and the work was done since the order was last taken in.
            WHEN holder = accountable AND mended > coalesce(reopened, 0) THEN 'ready'
            ELSE 'received'
        END AS status
    FROM placed
)
SELECT
    s.order_id,
    s.first_position,
    s.status,
    s.open,
    coalesce(key_moment(CASE WHEN NOT s.open THEN s.phase WHEN s.is_paused THEN s.paused ELSE s.step END), s.first_at) AS since,
    s.holder,
    CASE WHEN s.open AND s.under_way THEN s.to_party END AS heading_to,
    s.accountable,
    s.customer,
    s.opened_by,
    s.opened_at,
    CASE WHEN NOT s.open THEN key_moment(s.phase) END AS closed_at,
    CASE WHEN NOT s.open THEN s.outcome END AS outcome,
    s.brand,
    s.model,
    s.serial,
    s.fault_text,
    s.urgency,
    CASE
        WHEN NOT s.open THEN NULL
        WHEN s.owed_kind IS NOT NULL THEN CASE s.owed_kind WHEN 'receipt' THEN 'confirm receipt' ELSE s.owed_kind END
        WHEN s.status = 'repaired' AND s.holder = s.accountable THEN 'collect'
        ELSE n.step
    END AS next_step,
    CASE
        WHEN NOT s.open THEN NULL
        WHEN s.owed_kind IS NOT NULL THEN s.owed_by
        WHEN s.status = 'repaired' AND s.holder = s.accountable THEN 'customer'
        WHEN s.status = 'waiting' AND s.waiting_for_party IS NOT NULL THEN s.waiting_for_party
        ELSE CASE n.owner WHEN 'holder' THEN s.holder WHEN 'accountable' THEN coalesce(s.accountable, s.holder) ELSE n.owner END
    END AS next_owner,
    CASE WHEN s.open THEN s.owed_due END AS next_due,
    key_moment(s.told) AS last_told_at,
    s.told_kind AS last_told_kind,
    CASE WHEN s.open THEN s.next_news_by END AS next_news_by,
    s.facts,
    s.handoffs,
    s.reopenings,
    s.ping_pongs,
    s.contacts_started,
    s.messages_sent,
    s.last_position
FROM stated s
LEFT JOIN (
    VALUES
        ('taken_in', 'look at it or send it on', 'holder'),
        ('received', 'diagnose', 'holder'),
        ('diagnosed', 'repair or quote', 'holder'),
        ('waiting_for_approval', 'approve the quote', 'customer'),
        ('approved', 'repair', 'holder'),
        ('quote_declined', 'send it back', 'holder'),
        ('waiting_for_part', 'get the part', 'holder'),
        ('part_arrived', 'repair', 'holder'),
        ('in_repair', 'finish the repair', 'holder'),
        ('repaired', 'send it back', 'holder'),
        ('repair_failed', 'agree on another way', 'accountable'),
        ('waiting_for_customer', 'answer', 'customer'),
        ('waiting', 'go on with the work', 'holder'),
        ('ready', 'collect', 'customer'),
        ('returned', 'close the order', 'accountable'),
        ('reopened', 'take it up again', 'accountable')
) AS n (status, step, owner) ON n.status = s.status
