-- The facts that count: readable, said once, not taken back. Reads `raw` and `voids`.
SELECT * FROM raw
WHERE type <> 'unreadable' AND NOT EXISTS (FROM voids v WHERE v.position = raw.position)
