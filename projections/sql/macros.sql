-- What several models share.

-- The code in the low byte of a story key, and the moment in its high part (see facts.sql).
CREATE OR REPLACE MACRO story_code(story) AS (story & 255)::INTEGER;
CREATE OR REPLACE MACRO story_moment(story) AS make_timestamp((story >> 64)::BIGINT - 62135596800000000);

-- Later than any place in a story.
CREATE OR REPLACE MACRO story_never() AS 170141183460469231731687303715884105727::HUGEINT;

-- The customer as one who owes or is owed something.
CREATE OR REPLACE MACRO customer_party(customer) AS CASE WHEN strlen(customer) <= 120 THEN 'customer:' || customer END;
CREATE OR REPLACE MACRO is_party(name) AS
    regexp_full_match(name, '(retailer|importer|repairer|customer|chain):[^[:cntrl:]]{1,120}') AND name = trim(name);

-- The codes of story keys, as one text in the order of the story.
CREATE OR REPLACE MACRO ups_and_downs(turns) AS
    array_to_string([turn & 255 FOR turn IN list_sort(turns::HUGEINT[])], '');

-- How often a reopening follows a close, given the story keys of both kinds in any order; the code of a close is 1.
CREATE OR REPLACE MACRO reopenings(turns) AS
    (length(ups_and_downs(turns)) - length(replace(ups_and_downs(turns), '10', ''))) // 2;

-- What a commitment is called, everywhere and for ever.
CREATE OR REPLACE MACRO commitment_id(kind, order_id, source, id) AS concat_ws('/', kind, order_id, source, id);

-- The wait that more than this share of all waits did not exceed: of an even number of waits, the upper middle one.
CREATE OR REPLACE MACRO wait_at(waits, share) AS quantile_disc(waits, share + 1e-9);

-- Whether it was she who said so.
CREATE OR REPLACE MACRO is_customer(source) AS starts_with(source, 'customer:');

-- From one moment to another, and none if the other came first.
CREATE OR REPLACE MACRO seconds_between(earlier, later) AS
    CASE WHEN earlier IS NOT NULL AND later IS NOT NULL THEN greatest(epoch_us(later) - epoch_us(earlier), 0) // 1000000 END;
