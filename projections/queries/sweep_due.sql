-- Whether the next moment of anything that is owed has come.
SELECT position FROM commitments WHERE next_at < $now::TIMESTAMP LIMIT 1
