"""A made-up log: repairs as they come, step by step, many at a time, in the order in which they were recorded.

Each order takes some three weeks and twelve facts: opened, told, handed on two to three times, diagnosed, mended, back,
closed. Orders begin one after the other, so the log interleaves thousands that are open at once. On request some never
leave the shop, which has named days long after the end of the log for two visits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

#: Seconds between one order's beginning and the next: a million orders in two years.
SPACING = 63
CHUNK = 250_000

_STEPS = """
-- (step, earliest and latest day on which it happens, share of orders in percent that have it, type)
SELECT * FROM (VALUES
    (0, 0.0, 0.0, 100, 'order.opened'),
    (1, 0.001, 0.01, 60, 'order.referenced'),
    (2, 0.011, 0.012, 80, 'message.planned'),
    (3, 0.012, 0.02, 80, 'message.sent'),
    (4, 0.5, 2.0, 100, 'item.handed_over'),
    (5, 2.5, 4.0, 97, 'item.received'),
    (6, 4.2, 5.0, 50, 'item.handed_over'),
    (7, 5.5, 7.5, 50, 'item.received'),
    (8, 8.0, 9.0, 100, 'diagnosis.made'),
    (9, 9.0, 9.1, 20, 'customer.contacted'),
    (10, 9.2, 9.5, 20, 'part.ordered'),
    (11, 10.0, 14.0, 90, 'repair.completed'),
    (12, 14.1, 15.0, 98, 'item.handed_over'),
    (13, 15.5, 18.0, 95, 'item.received'),
    (14, 18.001, 18.01, 80, 'message.planned'),
    (15, 18.01, 18.02, 80, 'message.sent'),
    (16, 18.5, 23.0, 95, 'order.closed'),
    -- Of orders that wait, and only of those:
    (17, 0.03, 0.04, 100, 'visit.scheduled'),
    (18, 0.04, 0.05, 100, 'visit.scheduled')
) AS s (step, earliest, latest, share, type)
"""

_EVENTS = f"""
CREATE TABLE stream AS
WITH steps AS ({_STEPS}),
said AS (
    SELECT
        o AS number, step, type,
        hash(o, 'waits') % 100 < $waiting AS waits,
        TIMESTAMP '2024-11-04 08:00:00' + to_seconds(
            $orders * {SPACING} + 23 * 86400 + (hash(o, step, 'until') % (365 * 86400))::BIGINT
        ) AS until,
        TIMESTAMP '2024-11-04 08:00:00' + to_seconds(
            o * {SPACING} + (86400 * (earliest + (latest - earliest) * (hash(o, step, 1) % 1000) / 1000))::BIGINT
        ) AS happened
    FROM range($orders) AS orders (o), steps
    WHERE (hash(o, step, 2) % 100 < share OR (type = 'order.closed' AND $waiting > 0))
        AND CASE WHEN waits THEN step < 2 OR step > 16 ELSE step <= 16 END
        -- An order without that hop lacks both its ends; one without a customer has nobody to tell.
        AND (step NOT IN (6, 7) OR hash(o, 'hop') % 2 = 0)
        AND (type NOT LIKE 'message.%' OR hash(o, 'customer') % 5 > 0)
)
SELECT
    row_number() OVER (ORDER BY happened, number, step) AS position, number, step, type, waits, happened,
    -- Whoever owes it is reminded when four fifths of the time are over, which is so within the year after the log.
    CASE WHEN step > 16 THEN happened + (until - happened) * 1.25 END AS promised
FROM said
ORDER BY position
"""

_PAYLOADS = """
WITH chunk AS (
    SELECT
        *,
        'retailer:shop-' || (number % 211) AS shop,
        'importer:brand-' || (number % 17) AS importer,
        'repairer:bench-' || (number % 97) AS bench,
        strftime(happened, '%Y-%m-%dT%H:%M:%SZ') AS time
    FROM stream
    WHERE position > ? AND position <= ?
),
facts AS (
    SELECT
        *,
        CASE
            WHEN type LIKE 'message.%' THEN 'chain:notifier'
            WHEN step IN (6, 5) AND hash(number, 'hop') % 2 = 0 THEN importer
            WHEN step BETWEEN 5 AND 12 THEN bench
            ELSE shop
        END AS source,
        CASE
            WHEN step = 4 AND hash(number, 'hop') % 2 = 0 THEN importer
            WHEN step IN (4, 6) THEN bench
            WHEN step = 12 THEN shop
        END AS receiver
    FROM chunk
)
SELECT
    position,
    encode(concat(
        '{"specversion":"1.0","id":"', number, '-', step, '","source":"', source, '","type":"repairchain.', type,
        '.v1","subject":"W-', number, '","time":"', time, '","datacontenttype":"application/json",',
        '"recordedtime":"', time, '","data":',
        CASE type
            WHEN 'order.opened' THEN concat(
                '{',
                CASE WHEN hash(number, 'customer') % 5 > 0 AND NOT waits THEN '"customer":"c-' || number || '",' END,
                '"product":{"brand":"Brand ', number % 17, '","model":"Model ', number % 340,
                '","serial":"SN', number * 7919,
                '"},"fault_text":"It stopped on a ', ['Monday', 'Friday', 'Sunday'][number % 3 + 1],
                ' and makes a noise","urgency":"routine"}'
            )
            WHEN 'order.referenced' THEN concat('{"reference":"R', number * 31, '"}')
            WHEN 'item.handed_over' THEN concat(
                '{"to":"', receiver, '","carrier":"post","tracking_number":"3S', number, step, '"}'
            )
            WHEN 'diagnosis.made' THEN '{"summary":"The crown and its stem are worn; both have to be replaced"}'
            WHEN 'customer.contacted' THEN '{"channel":"phone","direction":"inbound","summary":"Asked how far it is"}'
            WHEN 'part.ordered' THEN '{"part":"stem 204"}'
            WHEN 'order.closed' THEN '{"outcome":"repaired"}'
            WHEN 'visit.scheduled' THEN concat(
                '{"visit":"v-', number, '-', step,
                '","from":"', strftime(promised - INTERVAL 4 HOUR, '%Y-%m-%dT%H:%M:%SZ'),
                '","until":"', strftime(promised, '%Y-%m-%dT%H:%M:%SZ'), '"}'
            )
            WHEN 'item.received' THEN '{}'
            WHEN 'repair.completed' THEN '{"summary":"Stem and crown replaced, cleaned, tested for a day"}'
            ELSE concat(
                '{"message":"m-', number, '-', step // 10,
                '","kind":"', CASE WHEN step < 10 THEN 'opened' ELSE 'ready' END,
                '","trigger_source":"', shop, '","trigger_id":"', number, '-0","channel":"email","language":"en",',
                '"subject":"Your repair ', number, '","body":"We have taken in your product under number ', number,
                '. It goes to the workshop now, where somebody looks at it and tells us what it needs. ',
                'Then we write to you again, whatever the answer is, at the latest on the date below.',
                '","next_news_by":"',
                strftime(happened + INTERVAL 7 DAY, '%Y-%m-%dT16:00:00Z'), '"}'
            )
        END,
        '}'
    )) AS payload
FROM facts
ORDER BY position
"""


class Stream:
    """The log of ``orders`` repairs, kept in a DuckDB file of its own in ``folder``.

    Without ``waiting`` a few orders in a hundred are never closed. With it that many in a hundred wait, for days after
    the log, and all others are closed.
    """

    def __init__(self, folder: Path, orders: int, *, waiting: int = 0) -> None:
        self._file = folder / "stream.db"
        self._file.unlink(missing_ok=True)
        self._connection = duckdb.connect(str(self._file))
        self._connection.execute(_EVENTS, {"orders": orders, "waiting": waiting})
        self.length = int(self._connection.execute("SELECT max(position) FROM stream").fetchall()[0][0])

    def read(self, after: int, until: int, chunk: int = CHUNK) -> Iterator[list[tuple[int, bytes]]]:
        """The messages after one position up to another, ``chunk`` at a time."""
        for begin in range(after, until, chunk):
            yield self._connection.execute(_PAYLOADS, [begin, min(begin + chunk, until)]).fetchall()

    def close(self) -> None:
        self._connection.close()
        self._file.unlink(missing_ok=True)
