-- Where each order begins and ends in the log, and whether it is a party that has announced closures.
MERGE INTO chain.subjects AS s
USING touched AS t
ON s.first_position = t.first_position
WHEN MATCHED THEN UPDATE SET last_position = t.last_position, announces = t.announces
WHEN NOT MATCHED THEN INSERT
