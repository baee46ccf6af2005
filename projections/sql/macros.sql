-- What several models share.

-- The customer as one who owes or is owed something.
CREATE OR REPLACE MACRO customer_party(customer) AS CASE WHEN strlen(customer) <= 120 THEN 'customer:' || customer END;

-- What a commitment is called, everywhere and for ever.
CREATE OR REPLACE MACRO commitment_id(kind, order_id, source, id) AS concat_ws('/', kind, order_id, source, id);

-- The wait that more than this share of all waits did not exceed: of an even number of waits, the upper middle one.
CREATE OR REPLACE MACRO wait_at(waits, share) AS quantile_disc(waits, share + 1e-9);

-- Whether it was she who said so.
CREATE OR REPLACE MACRO is_customer(source) AS starts_with(source, 'customer:');

-- From one moment to another, and none if the other came first.
CREATE OR REPLACE MACRO seconds_between(earlier, later) AS
    CASE WHEN earlier IS NOT NULL AND later IS NOT NULL THEN greatest(epoch_us(later) - epoch_us(earlier), 0) // 1000000 END;
