-- Where the last list of each of these parties stands in the log: the next one has to follow it.
SELECT order_id AS party, max(position) AS position
FROM chain.events
WHERE fact = 'party.briefed' AND order_id IN (SELECT unnest($parties::VARCHAR[]))
GROUP BY order_id
