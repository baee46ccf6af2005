-- What the mirror's SQL calls.

-- A moment as UTC without a zone, and within the years that programs can hold.
CREATE OR REPLACE MACRO within_years_or_null(moment) AS
    CASE WHEN moment BETWEEN '0001-01-02 00:00:00+00' AND '9999-12-30 00:00:00+00' THEN moment::TIMESTAMP END;

-- The same for what cannot be left open.
CREATE OR REPLACE MACRO within_years(moment) AS
    greatest(least(coalesce(moment, '1970-01-01 00:00:00+00'), '9999-12-30 00:00:00+00'), '0001-01-02 00:00:00+00')::TIMESTAMP;
