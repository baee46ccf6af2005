SELECT party, name AS reference FROM names WHERE first_position = $first AND kind = 'reference' ORDER BY party, name
