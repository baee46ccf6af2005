-- What each fact makes of what is owed, as data: the one table of all kinds of commitments but `receive` (which custody.py
-- tells, with its lanes from party to party).
-- An order's story runs in lanes. In each, at any moment, one thing at most is expected of somebody; a fact that speaks in a
-- lane says what is expected from now on (`expects`, owed by `owner`), or nothing. What was expected before is then met, if
-- the fact is one of those that meet it (`meets`), and cancelled otherwise; the same expectation of the same party goes on.
--   lane    work (forward, diagnose, repair, return), home (forward, return), decide, cover, part, answer, pause, update, visit, check, call,
--           person, promise
--   word    the fact counts only with this word (see incoming_events.sql), and only …
--   role    … if a party of this role says it, …
--   done    … after the work was done (true) or while it is still to do (false), …
--   home    … while the accountable party has the item (true) or somebody else (false), …
--   own     … by the accountable party itself (true) or by another (false), …
--   travels … if the order was ever handed on (true) or never (false), …
--   stays   … if it is mended where she has it (true; the opening says so, or somebody visits her) or not (false), …
--   away    … while it is neither with the accountable party nor with her, nor on its way there (true), or is so (false), …
--   coming  … while it is on its way to the accountable party (true), or is not (false), …
--   mended  … and if any of it was mended or replaced since it was opened or reopened (true)
--   more    … while she was told when she hears more (true), or that it was our last word (false); or nothing yet (true)
--   owner   source (who says so), holder, keeper (the holder, or to whom it is on its way), accountable, customer, or party
--           (the one that the fact names; else accountable)
--   topic   what tells several commitments of a lane apart: the fact's topic, its source, or nothing
--   anew    a new commitment even if the same was owed already
CREATE OR REPLACE TABLE lanes AS
SELECT
    fact::fact_name AS fact, lane, expects, meets, owner, topic, word, role, done, home, travels, coalesce(anew, false) AS anew, own, mended, more, stays, away, coming
FROM (
    VALUES
        -- The work: whoever has the item owes the next step.
        ('order.opened', 'work', 'forward', NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.reopened', 'work', 'forward', NULL, 'accountable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.received', 'work', 'forward', NULL, 'source', NULL, NULL, 'retailer', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.received', 'work', 'forward', NULL, 'source', NULL, NULL, 'importer', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.received', 'work', 'diagnose', NULL, 'source', NULL, NULL, 'repairer', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.received', 'work', 'forward', NULL, 'source', NULL, NULL, NULL, true, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.received', 'work', 'return', NULL, 'accountable', NULL, NULL, NULL, true, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.handed_over', 'work', NULL, ['forward'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.returned', 'work', NULL, ['forward', 'return'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('diagnosis.made', 'work', 'repair', ['diagnose'], 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('quote.offered', 'work', 'repair', ['diagnose'], 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- What stays where it is waits for a visit, which is owed in a lane of its own, and is not sent on. Whoever came owes
        -- what is left to do.
        ('visit.scheduled', 'work', NULL, ['forward'], NULL, NULL, NULL, NULL, false, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('visit.done', 'work', 'repair', NULL, 'source', NULL, NULL, NULL, false, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('quote.accepted', 'work', 'repair', NULL, 'holder', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('quote.declined', 'work', 'forward', NULL, 'holder', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('quote.declined', 'work', 'return', NULL, 'accountable', NULL, NULL, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('part.ordered', 'work', NULL, ['diagnose'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('part.rejected', 'work', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('part.arrived', 'work', 'repair', NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.started', 'work', 'repair', ['diagnose'], 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.completed', 'work', 'forward', ['diagnose', 'repair'], 'holder', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.completed', 'work', 'return', ['diagnose', 'repair'], 'accountable', NULL, NULL, NULL, NULL, true, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL),
        ('repair.completed', 'work', 'forward', ['diagnose', 'repair'], 'source', NULL, NULL, NULL, NULL, true, true, NULL, false, NULL, NULL, NULL, NULL, NULL),
        ('repair.completed', 'work', NULL, ['diagnose', 'repair'], NULL, NULL, NULL, NULL, NULL, true, false, NULL, false, NULL, NULL, NULL, NULL, NULL),
        ('repair.failed', 'work', 'forward', ['diagnose', 'repair'], 'holder', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.failed', 'work', 'return', ['diagnose', 'repair'], 'accountable', NULL, NULL, NULL, NULL, true, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL),
        ('repair.failed', 'work', 'forward', ['diagnose', 'repair'], 'source', NULL, NULL, NULL, NULL, true, true, NULL, false, NULL, NULL, NULL, NULL, NULL),
        ('repair.failed', 'work', NULL, ['diagnose', 'repair'], NULL, NULL, NULL, NULL, NULL, true, false, NULL, false, NULL, NULL, NULL, NULL, NULL),
        -- Another unit is with whoever says that it took the place, also if that party never had the one that it replaces.
        ('unit.replaced', 'work', 'forward', ['diagnose', 'repair'], 'holder', NULL, NULL, NULL, NULL, false, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL),
        ('unit.replaced', 'work', 'forward', ['diagnose', 'repair'], 'source', NULL, NULL, NULL, NULL, false, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL),
        ('unit.replaced', 'work', 'return', ['diagnose', 'repair'], 'accountable', NULL, NULL, NULL, NULL, true, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL),
        ('unit.replaced', 'work', 'forward', ['diagnose', 'repair'], 'source', NULL, NULL, NULL, NULL, true, true, NULL, false, NULL, NULL, NULL, NULL, NULL),
        ('unit.replaced', 'work', 'forward', ['diagnose', 'repair'], 'source', NULL, NULL, NULL, NULL, true, false, NULL, false, NULL, NULL, false, NULL, NULL),
        ('unit.replaced', 'work', NULL, ['diagnose', 'repair'], NULL, NULL, NULL, NULL, NULL, true, false, NULL, false, NULL, NULL, true, NULL, NULL),
        -- Given up and closed while it is away, it is to come home: who has it, or to whom it goes, sends it back, and the
        -- shop gives it back. Nothing ends that but her having it, a reopening, or another close once it is there.
        ('order.closed', 'home', 'forward', NULL, 'keeper', NULL, 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, true, NULL),
        ('order.closed', 'home', 'return', NULL, 'accountable', NULL, 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, true),
        ('order.closed', 'home', NULL, NULL, NULL, NULL, 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false),
        ('order.closed', 'home', 'forward', NULL, 'keeper', NULL, 'declined', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, true, NULL),
        ('order.closed', 'home', 'return', NULL, 'accountable', NULL, 'declined', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, true),
        ('order.closed', 'home', NULL, NULL, NULL, NULL, 'declined', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false),
        ('order.closed', 'home', 'forward', NULL, 'keeper', NULL, 'unrepairable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, true, NULL),
        ('order.closed', 'home', 'return', NULL, 'accountable', NULL, 'unrepairable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, true),
        ('order.closed', 'home', NULL, NULL, NULL, NULL, 'unrepairable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false),
        ('order.closed', 'home', NULL, NULL, NULL, NULL, 'repaired', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.closed', 'home', NULL, NULL, NULL, NULL, 'replaced', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.closed', 'home', NULL, NULL, NULL, NULL, 'refunded', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.handed_over', 'home', NULL, ['forward'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.received', 'home', 'forward', NULL, 'source', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.received', 'home', 'return', ['forward'], 'accountable', NULL, NULL, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.returned', 'home', NULL, ['forward', 'return'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.reopened', 'home', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- A price waits for her yes or no, and a repair that failed for her choice; whoever goes on was told.
        ('quote.offered', 'decide', 'decide', NULL, 'customer', NULL, NULL, NULL, NULL, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL),
        ('quote.accepted', 'decide', NULL, ['decide'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('quote.declined', 'decide', NULL, ['decide'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.started', 'decide', NULL, ['decide'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.completed', 'decide', NULL, ['decide'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('unit.replaced', 'decide', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.failed', 'decide', 'decide', NULL, 'customer', NULL, 'choice', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.failed', 'decide', NULL, NULL, NULL, NULL, 'no choice', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- Her word on it may be her choice: from then on it is the chain's to go on with.
        ('customer.contacted', 'decide', NULL, ['decide'], NULL, NULL, 'inbound', NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- It goes to somebody who is to try once more: that was settled, with her or without.
        ('item.received', 'decide', NULL, NULL, NULL, NULL, NULL, 'repairer', true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- Who pays.
        ('cover.claimed', 'cover', 'cover', NULL, 'party', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('cover.decided', 'cover', NULL, ['cover'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- Parts, each by its name. The wrong one that came is owed once more.
        ('part.ordered', 'part', 'part', NULL, 'source', 'topic', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('part.rejected', 'part', 'part', NULL, 'source', 'topic', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('part.arrived', 'part', NULL, ['part'], NULL, 'topic', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- Questions, either way, and work that waits for the customer.
        ('question.asked', 'answer', 'answer', NULL, 'party', 'topic', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('question.answered', 'answer', NULL, ['answer'], NULL, 'topic', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('work.paused', 'pause', 'answer', NULL, 'customer', NULL, 'customer', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('work.paused', 'pause', NULL, NULL, NULL, NULL, 'part', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('work.paused', 'pause', NULL, NULL, NULL, NULL, 'retailer', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('work.paused', 'pause', NULL, NULL, NULL, NULL, 'importer', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('work.paused', 'pause', NULL, NULL, NULL, NULL, 'repairer', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('work.paused', 'pause', NULL, NULL, NULL, NULL, 'other', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('work.resumed', 'pause', NULL, ['answer'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('question.answered', 'pause', NULL, ['answer'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('quote.accepted', 'pause', NULL, ['answer'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('quote.declined', 'pause', NULL, ['answer'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('diagnosis.made', 'pause', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('part.ordered', 'pause', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('part.arrived', 'pause', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.started', 'pause', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.completed', 'pause', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.failed', 'pause', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.handed_over', 'pause', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.received', 'pause', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.returned', 'pause', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- The next news to her, from every word that she gets to the next, but for the last.
        ('order.opened', 'update', 'update', NULL, 'accountable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.reopened', 'update', 'update', NULL, 'accountable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('message.sent', 'update', 'update', ['update'], 'accountable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, NULL, NULL, NULL),
        ('message.sent', 'update', NULL, ['update'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL),
        ('customer.contacted', 'update', 'update', ['update'], 'accountable', NULL, 'outbound', NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, NULL, NULL, NULL),
        ('customer.contacted', 'update', NULL, ['update'], NULL, NULL, 'outbound', NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL),
        -- Visits, each with its window; a visit that is moved keeps its first date beside the new one.
        ('visit.scheduled', 'visit', 'visit', NULL, 'source', 'topic', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('visit.done', 'visit', NULL, ['visit'], NULL, 'topic', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- Does it hold? Asked once she has it back, or once it was mended or replaced where it is; not of what nobody could or
        -- should mend, nor of what the close says was not mended at all; nor once more where our last word has asked it.
        ('item.returned', 'check', 'check', NULL, 'accountable', NULL, NULL, NULL, true, NULL, NULL, NULL, NULL, true, NULL, NULL, NULL, NULL),
        ('order.closed', 'check', 'check', NULL, 'accountable', NULL, 'repaired', NULL, NULL, NULL, false, NULL, NULL, NULL, true, NULL, NULL, NULL),
        ('order.closed', 'check', 'check', NULL, 'accountable', NULL, 'replaced', NULL, NULL, NULL, false, NULL, NULL, NULL, true, NULL, NULL, NULL),
        ('order.closed', 'check', NULL, NULL, NULL, NULL, 'declined', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.closed', 'check', NULL, NULL, NULL, NULL, 'unrepairable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.closed', 'check', NULL, NULL, NULL, NULL, 'refunded', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.closed', 'check', NULL, NULL, NULL, NULL, 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('message.sent', 'check', NULL, ['check'], NULL, NULL, 'check', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('customer.contacted', 'check', NULL, ['check'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('feedback.given', 'check', NULL, ['check'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.reopened', 'check', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- It does not: that is hers to say and the shop's to answer, also after the close.
        ('feedback.given', 'complaint', 'answer', NULL, 'accountable', NULL, 'no', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.reopened', 'complaint', NULL, ['answer'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('customer.contacted', 'complaint', NULL, ['answer'], NULL, NULL, 'outbound', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('question.answered', 'complaint', NULL, ['answer'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- A message did not reach her, or nobody knows: somebody has to tell her, unless a later one gets through.
        ('message.failed', 'call', 'call', NULL, 'accountable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('message.unknown', 'call', 'call', NULL, 'accountable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('message.sent', 'call', NULL, ['call'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('customer.contacted', 'call', NULL, ['call'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- She was told that a person will be in touch, after letters enough without news.
        ('message.sent', 'person', 'call', NULL, 'accountable', NULL, 'person', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('customer.contacted', 'person', NULL, ['call'], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('order.closed', 'person', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        -- What a party promises of its own accord: kept by its next step. Of several the last counts, and the ledger keeps
        -- the first.
        ('promise.made', 'promise', 'promise', NULL, 'source', 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('promise.moved', 'promise', 'promise', NULL, 'source', 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.handed_over', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('item.returned', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('diagnosis.made', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('quote.offered', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('part.arrived', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.completed', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('repair.failed', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('unit.replaced', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('cover.decided', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('question.answered', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('visit.done', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('gesture.given', 'promise', NULL, ['promise'], NULL, 'source', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
) AS said (fact, lane, expects, meets, owner, topic, word, role, done, home, travels, anew, own, mended, more, stays, away, coming);

-- What is so of each kind: whether the order's close ends it (an answer that she waits for is owed all the same, others
-- are not; nor does it end the way home), whether the end of the repair does, and whether its time stands still while the chain waits for the customer.
CREATE OR REPLACE TABLE kinds AS
FROM (
    VALUES
        ('receive', true, false, false),
        ('forward', true, false, true),
        ('diagnose', true, false, true),
        ('decide', true, false, false),
        ('cover', true, false, true),
        ('part', true, true, false),
        ('repair', true, false, true),
        ('return', true, false, true),
        ('answer', false, false, false),
        ('update', true, false, false),
        ('visit', true, false, false),
        ('check', false, false, false),
        ('call', false, false, false),
        ('promise', true, false, true)
) AS kinds (kind, ends_with_order, ends_with_repair, waits_for_customer);
