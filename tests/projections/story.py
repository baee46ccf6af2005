"""given(facts).at(now).then_rows(…): what the read models make of facts, told the way a story is told.

Of the stories a sample (with ``--thorough`` all of them) is also replayed with each fact said twice and all of them
shuffled, in a second database that is built in one go: its rows must be the same, but for the positions in the log.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from events.envelope import Event, make_event
from projections.database import Database, open_database
from projections.models import CATALOG, STORED_MODELS
from projections.queries import run
from tests.ready import borrow_database, lent_database, put_empty_database
from tests.sampling import is_thorough

SHOP, IMPORTER, BENCH = "retailer:shop", "importer:north", "repairer:bench"
NOTIFIER, WATCHDOG = "chain:notifier", "chain:watchdog"

Row = dict[str, Any]


def at(text: str) -> datetime:
    """A moment in UTC: ``2026-03-02 10:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fact(
    name: str,
    source: str,
    time: str,
    data: dict[str, Any] | None = None,
    *,
    order: str = "W-1",
    id: str | None = None,
    recorded: str | None = None,
    version: int = 1,
) -> Event:
    """One fact; its id is made of what it says unless it is given."""
    moment = at(time)
    return make_event(
        name,
        source=source,
        id=id or f"{name}@{time}",
        subject=order,
        time=moment,
        recordedtime=at(recorded) if recorded else moment,
        data=data or {},
        version=version,
    )


def opened(time: str = "2026-03-02 09:00", *, customer: str | None = "C-1", **more: Any) -> Event:
    """The shop takes a watch in."""
    source, order = more.pop("source", SHOP), more.pop("order", "W-1")
    data = {"product": {"brand": "Tide", "model": "Diver", "serial": f"SN-{order}"}, **more}
    if customer:
        data["customer"] = customer
    return fact("order.opened", source, time, data, order=order)


def handed(source: str, to: str, time: str, **more: Any) -> Event:
    return fact("item.handed_over", source, time, {"to": to}, **more)


def received(source: str, time: str, **more: Any) -> Event:
    return fact("item.received", source, time, **more)


def sent(
    time: str, next_news_by: str | None = None, *, kind: str = "received", message: str | None = None, **more: Any
) -> Event:
    """The customer was told."""
    data = {
        "message": message or f"m@{time}",
        "kind": kind,
        "channel": "email",
        "language": "en",
        "subject": f"About {kind}",
        "body": f"News: {kind}",
    }
    if next_news_by:
        data["next_news_by"] = at(next_news_by).isoformat()
    return fact("message.sent", NOTIFIER, time, data, **more)


def corrected(wrong: Event, time: str, *, source: str | None = None, **more: Any) -> Event:
    """``wrong`` is taken back, by whoever said it unless told otherwise."""
    data = {"fact_id": wrong.id, "reason": "did_not_occur"}
    if source and source != wrong.source:
        data["fact_source"] = wrong.source
    return fact("fact.corrected", source or wrong.source, time, data, order=wrong.subject, **more)


def closed_party(party: str, begin: str, until: str, time: str = "2026-01-01 00:00", **more: Any) -> Event:
    data = {"from": at(begin).isoformat(), "until": at(until).isoformat(), "reason": "holiday"}
    return fact("party.closed", party, time, data, order=party, id=f"closed {begin}", **more)


def messages_of(facts: Iterable[Event], first: int = 1) -> list[tuple[int, bytes]]:
    return [(position, event.to_json()) for position, event in enumerate(facts, first)]


def new_database(folder: Path) -> Database:
    """An empty database; making one from nothing takes longer than copying it."""
    number = sum(1 for _ in folder.glob("chain*.duckdb"))
    file = folder / f"chain{number}.duckdb"
    put_empty_database(file)
    return open_database(file, threads=1)  # tests run side by side


def model_rows(database: Database, *, positions: bool = True, leave_out: Sequence[str] = ()) -> dict[str, list[str]]:
    """All rows of all stored models as text, sorted."""
    cursor = database.cursor()
    try:
        found = {}
        for model in STORED_MODELS:
            if model.name not in leave_out:
                columns = "*" if positions else "COLUMNS(lambda name: NOT contains(name, 'position'))"
                query = f"SELECT t::VARCHAR FROM (SELECT {columns} FROM {CATALOG}.{model.name}) AS t ORDER BY ALL"
                found[model.name] = [row for (row,) in cursor.execute(query).fetchall()]
        return found
    finally:
        cursor.close()


def rows_of_a_rebuild(facts: Sequence[Event]) -> dict[str, list[str]]:
    """All rows of all stored models, made from these facts in one go in a database of their own."""
    return _rows_of_a_rebuild(tuple(text for _, text in messages_of(facts)))


@cache  # several tests of a file end with the same facts
def _rows_of_a_rebuild(log: tuple[bytes, ...]) -> dict[str, list[str]]:
    with lent_database() as fresh:
        fresh.mirror_only(list(enumerate(log, 1)))
        fresh.rebuild()
        return model_rows(fresh)


class Story:
    """Facts in a database, and the moment at which questions are asked."""

    def __init__(self, database: Database, now: datetime | None = None) -> None:
        self.database = database
        self._now = now

    def at(self, now: str) -> Story:
        return Story(self.database, at(now))

    def ask(self, name: str, as_of: str | None = None, known_at: str | None = None, **args: Any) -> Any:
        return run(
            self.database,
            name,
            {key.rstrip("_"): value for key, value in args.items()},
            as_of=at(as_of) if as_of else None,
            known_at=at(known_at) if known_at else None,
            now=self._now,
        )

    def order(self, order: str = "W-1", **moment: str) -> Row:
        row: Row = self.ask("status", order=order, **moment)
        return row

    def rows(self, model: str, order: str = "W-1") -> list[Row]:
        """Handoffs, commitments, messages or contacts of one order as the timeline tells them."""
        rows: list[Row] = self.ask("timeline", order=order)[model]
        return rows

    def then_rows(self, model: str, *expected: Row, order: str = "W-1", kind: str | None = None) -> Story:
        """The order has exactly these rows (of one ``kind``, if it is given), each with at least these values."""
        rows = [row for row in self.rows(model, order) if kind in (None, row.get("kind"))]
        assert [{key: row[key] for key in want} for row, want in zip(rows, expected, strict=False)] == list(expected)
        assert len(rows) == len(expected), rows
        return self

    def then_order(self, order: str = "W-1", **expected: Any) -> Story:
        row = self.order(order)
        assert {key: row[key] for key in expected} == expected
        return self


Given = Callable[..., Story]

#: Of so many stories one is replayed.
_SAMPLE: Final = 30


def tell(facts: Sequence[Event]) -> Story:
    """The story of these facts, one live batch; replayed doubled and shuffled to the same rows.

    Its database is borrowed (tests/ready.py). Replaying takes as long as all else, and random logs are replayed too
    (test_properties.py), so of the stories a sample is: the same one each time, for what is in them decides.
    """
    story = Story(borrow_database())
    messages = messages_of(facts)
    story.database.apply(messages)
    if is_thorough() or zlib.crc32(b"".join(text for _, text in messages)) % _SAMPLE == 0:
        _replay(story, facts)
    return story


def _replay(story: Story, facts: Sequence[Event]) -> None:
    with lent_database() as again:
        again.mirror_only(messages_of(_shuffled([*facts, *facts])))
        again.rebuild()
        ours, theirs = (model_rows(each, positions=False, leave_out=["voids"]) for each in (story.database, again))
    assert ours == theirs, "doubled and shuffled, the same facts gave other rows"


def _shuffled(facts: Sequence[Event]) -> list[Event]:
    """In another order, but for those of one moment: which of them comes first is what the log says."""
    order = list(range(len(facts)))
    random.Random(len(facts)).shuffle(order)
    for moment in {(event.time, event.recordedtime) for event in facts}:
        places = [place for place, at in enumerate(order) if (facts[at].time, facts[at].recordedtime) == moment]
        for place, at in zip(places, sorted(order[place] for place in places), strict=True):
            order[place] = at
    return [facts[at] for at in order]


def days_after(moment: str, days: float) -> str:
    return (at(moment) + timedelta(days=days)).isoformat(sep=" ")[:16]
