SELECT
    commitment_id, kind, order_id, owed_by, owed_to, accountable, since, due,
    (epoch_us($now::TIMESTAMP) - epoch_us(due)) // 1000000 AS overdue_seconds,
    overdue_level
FROM commitments
WHERE state = 'open' AND due < $now
ORDER BY due, commitment_id
