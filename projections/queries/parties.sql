-- Everyone who was ever named, those who said most first.
SELECT party, role, facts, orders, first_seen, last_seen FROM parties ORDER BY facts DESC, party
