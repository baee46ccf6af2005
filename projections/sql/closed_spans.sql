-- Per party with closures, the opening hours that they take away: a list of spans that neither touch nor overlap.
-- Times are counted in microseconds of opening hours since 1970 ("worked"), so nights and weekends vanish from the sums.
WITH ends AS (
    SELECT
        c.party,
        worked_by(c.closed_from, f.worked, f.opens) AS shut,
        worked_by(c.closed_until, u.worked, u.opens) AS reopened
    FROM closures c
    JOIN openings f ON f.day = calendar_day(c.closed_from)
    JOIN openings u ON u.day = calendar_day(c.closed_until)
),
runs AS (
    -- A span that begins after all earlier ones of the party have ended begins a new run.
    SELECT
        *,
        shut > coalesce(max(reopened) OVER (PARTITION BY party ORDER BY shut, reopened ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), -1)
            AS begins
    FROM ends
    WHERE shut < reopened
),
numbered AS (
    SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY party ORDER BY shut, reopened ROWS UNBOUNDED PRECEDING) AS run
    FROM runs
),
merged AS (
    SELECT party, min(shut) AS shut, max(reopened) - min(shut) AS lost FROM numbered GROUP BY party, run
),
summed AS (
    SELECT
        *,
        coalesce(sum(lost) OVER (PARTITION BY party ORDER BY shut ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::BIGINT
            AS lost_before
    FROM merged
)
-- `own_shut` is when the span begins on the party's own clock, which stands still while it is closed.
SELECT party, list({'shut': shut, 'lost': lost, 'own_shut': shut - lost_before} ORDER BY shut) AS spans
FROM summed
GROUP BY party
