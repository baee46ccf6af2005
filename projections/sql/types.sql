-- What an order's status may be. The last fact that bears on it decides (see orders.sql).
CREATE TYPE status_word AS ENUM (
    'taken_in', 'in_transit', 'received', 'diagnosed', 'waiting_for_approval', 'approved', 'quote_declined',
    'waiting_for_part', 'part_arrived', 'in_repair', 'repaired', 'repair_failed', 'waiting_for_customer', 'waiting',
    'ready', 'returned', 'reopened', 'closed'
);
