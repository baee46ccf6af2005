-- How many commitments were met, of as many as it takes to say anything of others; see likely.sql.
SELECT count(*) AS cases
FROM (SELECT 1 FROM commitments WHERE state = 'met' AND worked IS NOT NULL LIMIT $least)
