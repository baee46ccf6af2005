-- Where each order begins, by where it ends, and whether it is a party that has announced closures.
MERGE INTO chain.subjects AS s
USING touched AS t
ON s.first_position = t.first_position
WHEN MATCHED THEN UPDATE SET until = t.until, announces = t.announces
WHEN NOT MATCHED THEN INSERT
