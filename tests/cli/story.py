"""The watch as facts in a real DuckDB file, for questions that are asked while no chain runs."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from events.envelope import Event, make_event
from services.home import HomeFolder
from tests.ready import open_empty_database

SHOP, IMPORTER, BENCH, NOTIFIER = "retailer:juno", "importer:noord", "repairer:tick", "chain:notifier"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in November 2026, UTC; the 2nd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def fact(
    name: str, source: str, moment: datetime, data: dict[str, Any], *, id: str, order: str = "W-1001", **more: Any
) -> Event:
    """A fact that was taken in when it happened."""
    return make_event(name, source=source, id=id, subject=order, time=moment, recordedtime=moment, data=data, **more)


def _letter(message: str, kind: str, subject: str, news: str) -> dict[str, Any]:
    return {
        "message": message,
        "kind": kind,
        "channel": "email",
        "language": "en",
        "subject": subject,
        "body": "Your watch is with us.\n\nYou hear from us again on Friday.",
        "next_news_by": news,
    }


WATCH = {"brand": "Halden", "model": "Meridian 36", "serial": "HM-20417"}

STORY = [
    fact("order.opened", SHOP, at(2, 10), {"customer": "C-77", "product": WATCH, "fault_text": "crown"}, id="s1"),
    fact(
        "message.sent", NOTIFIER, at(2, 10, 1), _letter("m1", "opened", "We have it", "2026-11-06T16:00:00Z"), id="n1"
    ),
    fact("item.handed_over", SHOP, at(3, 15), {"to": IMPORTER}, id="s2"),
    fact("item.received", IMPORTER, at(5, 8), {"from": SHOP}, id="i1"),
    fact("order.referenced", IMPORTER, at(5, 8, 5), {"reference": "RMA-5541"}, id="i2"),
    fact("part.ordered", IMPORTER, at(5, 9), {"part": "stem"}, id="i3"),
    fact("fact.corrected", IMPORTER, at(5, 10), {"fact_id": "i3", "reason": "did_not_occur"}, id="i4"),
    fact("item.handed_over", IMPORTER, at(10, 9), {"to": BENCH}, id="i5"),
    fact("customer.contacted", SHOP, at(13, 13), {"channel": "phone", "direction": "inbound"}, id="s3"),
    fact("order.opened", SHOP, at(14, 10), {"product": WATCH | {"brand": "Other"}}, id="s4", order="W-1002"),
    fact("order.referenced", SHOP, at(14, 10), {"reference": "TWICE"}, id="s5", order="W-1002"),
    fact("order.referenced", SHOP, at(14, 11), {"reference": "TWICE"}, id="s6", order="W-1001"),
]

#: Thirty-two receipts, each third a week after the handover and the others after a day, and one that is waited for.
HISTORY = [
    each
    for number in range(33)
    for day, late in [(2 if number else 16, number % 3 == 0)]
    for each in (
        fact("order.opened", SHOP, at(day, 9), {"product": {}}, id=f"h{number}", order=f"H-{number}"),
        fact("item.handed_over", SHOP, at(day, 10), {"to": IMPORTER}, id=f"g{number}", order=f"H-{number}"),
        *(
            [fact("item.received", IMPORTER, at(9 if late else 3, 10), {}, id=f"r{number}", order=f"H-{number}")]
            if number
            else []
        ),
    )
]


def make_home(home: Path, events: list[Event] | None = None) -> Path:
    """A home whose read models hold ``events``, as a chain that was stopped leaves it."""
    folder = HomeFolder(home)
    folder.create()
    folder.database.write_bytes(_database_of(tuple(event.to_json() for event in events or STORY)))
    return home


@cache
def _database_of(log: tuple[bytes, ...]) -> bytes:
    """The file with that log in it: many tests begin with the same one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "story.duckdb"
        with open_empty_database(file, threads=1) as database:
            database.apply(list(enumerate(log, start=1)))
        return file.read_bytes()


def give_operator_login(home: Path) -> None:
    """A password for the operator, which no server knows."""
    file = HomeFolder(home).login_file("operator")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"user": "operator", "password": "guess"}')
