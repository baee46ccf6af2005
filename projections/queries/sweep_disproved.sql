-- Whether anything was said to be overdue that was not, and was not withdrawn.
SELECT position FROM commitments WHERE disproved AND withdrawn_at IS NULL LIMIT 1
