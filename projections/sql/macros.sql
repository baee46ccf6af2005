-- What several models share. Macros read `openings` and `closed_spans` by unqualified name, like the models themselves.

-- The code in the low byte of a story key, and the moment in its high part (see facts.sql).
CREATE OR REPLACE MACRO story_code(story) AS (story & 255)::INTEGER;
CREATE OR REPLACE MACRO story_moment(story) AS make_timestamp((story >> 64)::BIGINT - 62135596800000000);

-- The codes of story keys, as one text in the order of the story.
CREATE OR REPLACE MACRO ups_and_downs(turns) AS
    array_to_string([turn & 255 FOR turn IN list_sort(turns::HUGEINT[])], '');

-- How often a reopening follows a close, given the story keys of both kinds in any order; the code of a close is 1.
CREATE OR REPLACE MACRO reopenings(turns) AS
    (length(ups_and_downs(turns)) - length(replace(ups_and_downs(turns), '10', ''))) // 2;

-- What a commitment is called, everywhere and for ever.
CREATE OR REPLACE MACRO commitment_id(kind, order_id, source, id) AS concat_ws('/', kind, order_id, source, id);

-- The day of a moment, within the horizon of `openings`.
CREATE OR REPLACE MACRO calendar_day(moment) AS
    greatest(least(moment, TIMESTAMP '2060-12-31 23:59:59'), TIMESTAMP '1970-01-01')::DATE;

-- Opening hours since 1970 up to a moment, in microseconds, given its day's row of `openings`. A day that does not open
-- has its opening far in the future.
CREATE OR REPLACE MACRO worked_by(moment, worked, opens) AS
    worked + least(greatest(epoch_us(moment) - opens, 0), 28800000000);

-- The rows of `waiting` (which has party, since, hours) with `due`: when that many opening hours of the party have passed.
-- All working days are eight hours long, so the n-th hour's day is a division away.
CREATE OR REPLACE MACRO due_times(waiting) AS TABLE
    WITH started AS (
        SELECT w.*, c.spans, worked_by(w.since, o.worked, o.opens) AS worked, w.hours::BIGINT * 3600000000 AS needed
        FROM query_table(waiting) w
        JOIN openings o ON o.day = calendar_day(w.since)
        LEFT JOIN closed_spans c ON c.party = w.party
    ),
    own_clock AS (
        SELECT
            *,
            worked + needed
                - CASE WHEN spans IS NULL THEN 0 ELSE list_sum([least(greatest(worked - s.shut, 0), s.lost) FOR s IN spans])::BIGINT END
                AS own_target
        FROM started
    ),
    targets AS (
        SELECT
            *,
            own_target
                + CASE WHEN spans IS NULL THEN 0 ELSE coalesce(list_sum([s.lost FOR s IN spans IF s.own_shut < own_target]), 0)::BIGINT END
                AS target
        FROM own_clock
    )
    SELECT
        t.* EXCLUDE (spans, worked, needed, own_target, target),
        CASE
            WHEN o.opens IS NULL THEN greatest(t.since, TIMESTAMP '2061-01-01')
            ELSE make_timestamp(o.opens + t.target - o.worked)
        END AS due
    FROM targets t
    LEFT JOIN openings o ON o.number = (t.target - 1) // 28800000000;

-- The wait that more than this share of all waits did not exceed: of an even number of waits, the upper middle one.
CREATE OR REPLACE MACRO wait_at(waits, share) AS quantile_disc(waits, share + 1e-9);
