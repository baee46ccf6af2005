-- One row per order: where it stands, who has it, what comes next, what its customer was told.
WITH steps AS (
    SELECT
        first_position, order_id, position, story, fact, source, occurred_at, said,
        fact = 'message.sent' OR (fact = 'customer.contacted' AND said.direction = 'outbound') AS tells,
        -- What this fact makes of the order, if it bears on its status.
        enum_code(CASE fact
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
        END::status_word) AS step
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
        max(story + (fact = 'order.closed')::INTEGER) FILTER (fact IN ('order.opened', 'order.closed', 'order.reopened')) AS phase,
        max(story + step) AS step,
        max(story + CASE said.waiting_for WHEN 'customer' THEN 1 WHEN 'part' THEN 2 ELSE 3 END) FILTER (fact = 'work.paused')
            AS paused,
        max(story) FILTER (fact = 'work.resumed') AS resumed,
        max(story) FILTER (fact IN ('repair.completed', 'repair.failed')) AS mended,
        max(story) FILTER (fact = 'order.reopened') AS reopened,
        -- Who had it in their hands last, and whether they then gave it away (1) or the customer got it back (2).
        arg_max(source, story) FILTER (fact IN ('order.opened', 'item.handed_over', 'item.received')) AS hands,
        max(story + CASE fact WHEN 'item.handed_over' THEN 1 WHEN 'item.returned' THEN 2 ELSE 0 END)
            FILTER (fact IN ('order.opened', 'item.handed_over', 'item.received', 'item.returned')) AS custody,
        arg_max(said.who, story) FILTER (fact = 'work.paused') AS waiting_for,
        arg_max(said.outcome, story) FILTER (fact = 'order.closed') AS outcome,
        max(story) FILTER (tells) AS told,
        arg_max(coalesce(said.kind, 'contact'), story) FILTER (tells) AS told_kind,
        arg_max(said.next_news_by, story) FILTER (fact = 'message.sent') AS next_news_by,
        count(*) FILTER (fact = 'message.sent') AS messages_sent,
        count(*) FILTER (fact = 'customer.contacted' AND said.direction = 'inbound') AS contacts_started
    FROM steps
    GROUP BY first_position
    -- A correction alone makes no order: what it took back was all there was.
    HAVING count(*) FILTER (fact IS DISTINCT FROM 'fact.corrected') > 0
),
turns AS (
    -- Only orders that were ever reopened have anything to count here.
    SELECT first_position, fact, lag(fact) OVER (PARTITION BY first_position ORDER BY story) AS before
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
        count_if(ping_pong) AS ping_pongs,
        arg_max(to_party, stint) AS to_party,
        arg_max(state, stint) = 'received' AS arrived
    FROM handoffs
    GROUP BY first_position
),
owed AS (
    -- News is owed beside the work; the next step is what moves the work on.
    SELECT first_position, arg_min(kind, due) AS owed_kind, arg_min(owed_by, due) AS owed_by, min(due) AS owed_due
    FROM commitments
    WHERE state = 'open' AND kind <> 'news'
    GROUP BY first_position
),
placed AS (
    SELECT
        m.*,
        i.* EXCLUDE (first_position),
        o.* EXCLUDE (first_position),
        r.reopenings,
        p.handoffs,
        p.ping_pongs,
        p.to_party,
        p.arrived,
        story_code(m.phase) IS DISTINCT FROM 1 AS open,
        CASE story_code(m.custody)
            WHEN 2 THEN 'customer'
            WHEN 1 THEN CASE WHEN p.arrived THEN p.to_party ELSE m.hands END
            ELSE m.hands
        END AS holder,
        coalesce(m.paused > greatest(m.resumed, m.step, 0), false) AS is_paused,
        enum_range(NULL::status_word)[story_code(m.step) + 1] AS last_step
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
            WHEN is_paused THEN ['waiting_for_customer', 'waiting_for_part', 'waiting'][story_code(paused)]
            WHEN last_step = 'in_transit' AND NOT arrived THEN 'in_transit'
            WHEN last_step NOT IN ('in_transit', 'received') THEN last_step::VARCHAR
            WHEN last_step IS NULL THEN 'taken_in'
            -- Back with whoever answers to the customer, and the work was done since the order was last taken in.
            WHEN holder = accountable AND mended > coalesce(reopened, 0) THEN 'ready'
            ELSE 'received'
        END AS status,
        CASE WHEN NOT open THEN phase WHEN is_paused THEN paused ELSE step END AS since
    FROM placed
)
SELECT
    s.order_id,
    s.first_position,
    s.status,
    s.open,
    coalesce(story_moment(s.since), s.first_at) AS since,
    s.holder,
    CASE WHEN s.open AND story_code(s.custody) = 1 AND NOT s.arrived THEN s.to_party END AS heading_to,
    s.accountable,
    s.customer,
    s.opened_by,
    s.opened_at,
    CASE WHEN NOT s.open THEN story_moment(s.phase) END AS closed_at,
    CASE WHEN NOT s.open THEN s.outcome END AS outcome,
    s.product.brand AS brand,
    s.product.model AS model,
    s.product.serial AS serial,
    s.fault_text,
    s.urgency,
    CASE WHEN s.owed_kind IS NULL THEN n.step WHEN s.open THEN 'confirm receipt' END AS next_step,
    CASE
        WHEN s.owed_kind IS NOT NULL THEN CASE WHEN s.open THEN s.owed_by END
        WHEN s.status = 'waiting' THEN coalesce(s.waiting_for, s.holder)
        ELSE CASE n.owner WHEN 'holder' THEN s.holder WHEN 'accountable' THEN coalesce(s.accountable, s.holder) ELSE n.owner END
    END AS next_owner,
    CASE WHEN s.open THEN s.owed_due END AS next_due,
    story_moment(s.told) AS last_told_at,
    s.told_kind AS last_told_kind,
    CASE WHEN s.open THEN s.next_news_by::TIMESTAMP END AS next_news_by,
    s.facts,
    coalesce(s.handoffs, 0) AS handoffs,
    coalesce(s.reopenings, 0) AS reopenings,
    coalesce(s.ping_pongs, 0) AS ping_pongs,
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
        ('quote_declined', 'hand it back', 'holder'),
        ('waiting_for_part', 'get the part', 'holder'),
        ('part_arrived', 'repair', 'holder'),
        ('in_repair', 'finish the repair', 'holder'),
        ('repaired', 'hand it back', 'holder'),
        ('repair_failed', 'agree on another way', 'accountable'),
        ('waiting_for_customer', 'answer', 'customer'),
        ('waiting', 'go on with the work', 'holder'),
        ('ready', 'collect', 'customer'),
        ('returned', 'close the order', 'accountable'),
        ('reopened', 'take it up again', 'accountable')
) AS n (status, step, owner) ON n.status = s.status
