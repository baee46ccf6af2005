-- One row per order: where it stands, who has it, what comes next, what its customer was told.
WITH steps AS (
    SELECT
        first_position, position, story, fact, source, occurred_at, party, word,
        s.code AS step,
        fact IN ('order.opened', 'item.handed_over', 'item.received', 'item.returned') AS moves
    FROM facts
    LEFT JOIN status_of_fact s USING (fact)
    WHERE fact NOT IN ('party.closed', 'party.briefed', 'policy.adopted', 'incident.declared', 'incident.resolved') OR fact IS NULL
),
-- Where it is and how far, from all facts. What only few facts speak of is in `terms`: each sum over a column is a price
-- on every row.
-- CASE rather than FILTER throughout: to DuckDB, each FILTER is a copy of all the columns that the others need.
-- Aggregates pass over NULL, and a column is NULL on every fact that has nothing for it.
marks AS (
    SELECT
        first_position,
        count(*) AS facts,
        count(fact) AS known,
        min(occurred_at) AS first_at,
        max(position) AS last_position,
        max(story + step) AS step,
        max(CASE WHEN fact = 'work.paused' THEN story + enum_code(CASE word
            WHEN 'customer' THEN 'waiting_for_customer' WHEN 'part' THEN 'waiting_for_part' ELSE 'waiting'
        END::status_word) END) AS paused,
        max(CASE WHEN fact = 'work.resumed' THEN story END) AS resumed,
        arg_max(CASE WHEN fact = 'work.paused' THEN party END, story) AS awaited,
        max(CASE WHEN fact IN ('repair.completed', 'repair.failed', 'unit.replaced', 'quote.declined') THEN story END) AS done,
        arg_max(CASE WHEN fact = 'item.returned' THEN 'customer' WHEN moves THEN source END, story) AS hands,
        max(CASE WHEN fact = 'item.handed_over' THEN story + 1 WHEN moves THEN story END) AS moved
    FROM steps
    GROUP BY first_position
    -- A correction alone makes no order: what it took back was all there was.
    HAVING count_if(fact IS DISTINCT FROM 'fact.corrected') > 0
),
words AS (
    SELECT
        first_position, story, fact, source, occurred_at, party, word, name, topic, by_when, serial, brand, model, fault_text,
        -- Of several orders that are one, the one that goes on is believed first: 2^126 is later than any story.
        story + CASE WHEN aside THEN 85070591730234615865843651857942052864 ELSE 0 END AS belief,
        fact = 'order.opened' AS opens,
        fact = 'order.closed' AS closes,
        fact = 'order.reopened' AS reopens,
        fact = 'message.sent' OR (fact = 'customer.contacted' AND word = 'outbound') AS tells,
        (fact = 'customer.contacted' AND word = 'inbound') OR (fact = 'question.asked' AND is_customer(source)) AS asks,
        (fact = 'customer.contacted' AND word = 'outbound') OR (fact = 'question.answered' AND NOT is_customer(source)) AS answers
    FROM facts
    WHERE fact IN (
        'order.opened', 'order.closed', 'order.reopened', 'message.sent', 'customer.contacted', 'question.asked',
        'question.answered'
    )
),
-- What was agreed on when it was opened and closed, and what the customer was told.
terms AS (
    SELECT
        first_position,
        -- Of several openings, the first to say a thing is believed.
        arg_min(CASE WHEN opens THEN source END, belief) AS opened_by,
        min(CASE WHEN opens THEN occurred_at END) AS opened_at,
        arg_min(CASE WHEN opens THEN party END, belief) AS named_accountable,
        arg_min(CASE WHEN opens THEN name END, belief) AS customer,
        arg_min(brand, belief) AS brand,
        arg_min(model, belief) AS model,
        arg_min(CASE WHEN opens THEN serial END, belief) AS serial,
        arg_min(fault_text, belief) AS fault_text,
        arg_min(CASE WHEN opens THEN word END, belief) AS urgency,
        arg_min(CASE WHEN opens THEN topic END, belief) AS category,
        -- The last turn, and whether it closed the order (1); and the turns that decide how often it was reopened.
        max(CASE WHEN opens OR reopens THEN story WHEN closes THEN story + 1 END) AS turn,
        list(CASE WHEN reopens THEN story WHEN closes THEN story + 1 END) AS turns,
        max(CASE WHEN reopens THEN story END) AS reopened,
        arg_max(CASE WHEN closes THEN word END, story) AS outcome,
        max(CASE WHEN tells THEN story END) AS told,
        arg_max(CASE WHEN fact = 'message.sent' THEN word WHEN tells THEN 'contact' END, story) AS last_told_kind,
        arg_max(CASE WHEN fact = 'message.sent' THEN by_when END, story) AS next_news_by,
        count_if(fact = 'message.sent') AS messages_sent,
        count_if(asks) AS contacts_started,
        -- Her first word, our first automatic one, and the first of a person.
        min(CASE WHEN opens OR asks THEN occurred_at END) AS first_asked_at,
        min(CASE WHEN fact = 'message.sent' THEN occurred_at END) AS first_message_at,
        min(CASE WHEN answers THEN occurred_at END) AS first_answer_at
    FROM words
    GROUP BY first_position
),
passed_on AS (
    SELECT
        first_position,
        count(*) AS handoffs,
        count_if(ping_pong) AS ping_pongs,
        arg_max(to_party, stint) AS receiver,
        arg_max(state, stint) AS state
    FROM handoffs
    GROUP BY first_position
),
placed AS (
    SELECT
        m.* EXCLUDE (hands),
        t.* EXCLUDE (first_position),
        p.* EXCLUDE (first_position),
        coalesce(t.named_accountable, t.opened_by) AS accountable,
        story_code(t.turn) IS DISTINCT FROM 1 AS open,
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
            -- Back with whoever answers to the customer, and no more is to be done since the order was last taken in.
            WHEN holder = accountable AND m.done > coalesce(t.reopened, 0) THEN enum_code('ready'::status_word)
            ELSE enum_code('received'::status_word)
        END AS code
    FROM marks m
    LEFT JOIN terms t ON t.first_position = m.first_position
    LEFT JOIN passed_on p ON p.first_position = m.first_position
)
SELECT
    b.order_id,
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
    p.brand,
    p.model,
    p.serial,
    p.fault_text,
    p.urgency,
    p.category,
    -- News is owed beside the work; the next step is what moves the work on, and a receipt that is owed comes first.
    CASE WHEN p.open AND p.state = 'open' THEN 'confirm receipt' ELSE s.next_step END AS next_step,
    CASE
        WHEN p.open AND p.state = 'open' THEN p.receiver
        WHEN s.owner = 'customer' THEN 'customer'
        WHEN s.owner = 'awaited' THEN coalesce(p.awaited, p.holder)
        WHEN s.owner = 'accountable' THEN coalesce(p.accountable, p.holder)
        WHEN p.open THEN p.holder
    END AS next_owner,
    story_moment(p.told) AS last_told_at,
    p.last_told_kind,
    CASE WHEN p.open THEN p.next_news_by END AS next_news_by,
    p.facts,
    coalesce(p.handoffs, 0) AS handoffs,
    CASE WHEN p.reopened IS NULL THEN 0 ELSE reopenings(p.turns) END AS reopenings,
    coalesce(p.ping_pongs, 0) AS ping_pongs,
    coalesce(p.contacts_started, 0) AS contacts_started,
    coalesce(p.messages_sent, 0) AS messages_sent,
    p.first_asked_at,
    p.first_message_at,
    p.first_answer_at,
    p.last_position
FROM placed p
JOIN statuses s ON s.code = p.code
JOIN subjects b ON b.first_position = p.first_position
-- An unknown fact about a party makes no order of the party.
WHERE p.known > 0 OR NOT regexp_matches(b.order_id, '^(retailer|importer|repairer|customer|chain):')
