-- While the chain waits for the customer of one order. Moments in microseconds.
SELECT epoch_us(opened_at) AS opened, epoch_us(ended_at) AS ended, position
FROM commitments
WHERE first_position = $first AND starts_with(owner, 'customer')
