SELECT party, closed_from AS "from", closed_until AS until, reason FROM closures ORDER BY party, closed_from
