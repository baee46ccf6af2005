-- What the status of an order may be, what comes next in each, and who has to do it.
CREATE OR REPLACE TABLE statuses AS
SELECT status, next_step, owner
FROM (
    VALUES
        ('taken_in', 'look at it or send it on', 'holder'),
        ('in_transit', 'confirm receipt', 'holder'),
        ('received', 'diagnose', 'holder'),
        ('diagnosed', 'repair or quote', 'holder'),
        ('waiting_for_approval', 'approve the quote', 'customer'),
        ('approved', 'repair', 'holder'),
        ('quote_declined', 'hand it back', 'holder'),
        ('waiting_for_part', 'get the part', 'holder'),
        ('part_arrived', 'repair', 'holder'),
        ('in_repair', 'finish the repair', 'holder'),
        ('repaired', 'hand it back', 'holder'),
        ('replaced', 'hand it back', 'holder'),
        ('repair_failed', 'agree on another way', 'accountable'),
        ('waiting_for_customer', 'answer', 'customer'),
        ('waiting', 'go on with the work', 'awaited'),
        ('ready', 'collect', 'customer'),
        ('returned', 'close the order', 'accountable'),
        ('reopened', 'take it up again', 'accountable'),
        ('closed', NULL, NULL)
) AS words (status, next_step, owner);

-- The status that a fact brings about. work.paused is not among them: it ends with work.resumed, and then the status
-- from before it counts again.
CREATE OR REPLACE TABLE status_of_fact AS
SELECT fact::fact_name AS fact, status
FROM (
    VALUES
        ('order.opened', 'taken_in'),
        ('item.handed_over', 'in_transit'),
        ('item.received', 'received'),
        ('diagnosis.made', 'diagnosed'),
        ('quote.offered', 'waiting_for_approval'),
        ('quote.accepted', 'approved'),
        ('quote.declined', 'quote_declined'),
        ('part.ordered', 'waiting_for_part'),
        ('part.rejected', 'waiting_for_part'),
        ('part.arrived', 'part_arrived'),
        ('repair.started', 'in_repair'),
        ('repair.completed', 'repaired'),
        ('unit.replaced', 'replaced'),
        ('repair.failed', 'repair_failed'),
        ('item.returned', 'returned'),
        ('order.reopened', 'reopened')
) AS brings (fact, status);
