-- Of open commitments, how likely each is to be met in time, from how long such things took before (in seconds of the
-- owner's opening hours): of the same lane, else of the same owner, else of all owners in that role; never from fewer than $least cases.
WITH history AS (
    SELECT
        kind, split_part(owner, ':', 1) AS role, owner, counterpart,
        grouping(owner) = 0 AS of_owner,
        grouping(counterpart) = 0 AS of_lane,
        count(*) AS cases,
        quantile_disc(worked, [n / 100.0 FOR n IN range(1, 101)]) AS took
    FROM commitments
    WHERE state = 'met' AND worked IS NOT NULL
    GROUP BY GROUPING SETS ((kind, role, owner, counterpart), (kind, role, owner), (kind, role))
    HAVING count(*) >= $least
),
running AS (
    SELECT *, worked_seconds(getvariable('book'), owner, opened_at, $now::TIMESTAMP) AS so_far
    FROM commitments
    WHERE state = 'open' AND due_at >= $now::TIMESTAMP
        AND ($first::BIGINT IS NULL OR first_position = $first) AND ($owner::VARCHAR IS NULL OR owner = $owner OR ($owner = 'customer' AND starts_with(owner, 'customer:')))
),
judged AS (
    SELECT
        r.position, r.kind,
        h.cases,
        CASE WHEN h.of_lane THEN 'lane' WHEN h.of_owner THEN 'owner' ELSE 'role' END AS based_on,
        -- Of those that took longer than this has taken already, the share that was done within its time.
        len([t FOR t IN h.took IF t > r.so_far AND t <= r.allowed])
            / nullif(len([t FOR t IN h.took IF t > r.so_far]), 0) AS chance
    FROM running r
    JOIN history h
        ON h.kind = r.kind AND h.role = split_part(r.owner, ':', 1)
            AND (NOT h.of_owner OR h.owner = r.owner)
            AND (NOT h.of_lane OR h.counterpart IS NOT DISTINCT FROM r.counterpart)
    QUALIFY row_number() OVER (PARTITION BY r.position, r.kind ORDER BY h.of_lane DESC, h.of_owner DESC) = 1
)
SELECT
    commitment_id(j.kind, e.order_id, e.source, e.id) AS commitment_id,
    -- All that ever took as long as this has are behind it: it takes longer than any before.
    round(coalesce(j.chance, 0), 2) AS chance, j.cases, j.based_on
FROM judged j
JOIN chain.events e ON e.position = j.position
WHERE $below::DOUBLE IS NULL OR coalesce(j.chance, 0) < $below
