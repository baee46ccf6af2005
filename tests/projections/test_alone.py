"""A live batch makes only those models anew that its facts speak of: whatever comes alone, the rows are a rebuild's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from events import vocabulary
from events.chain import commitment_id
from events.envelope import Event, make_event
from projections.database import Database
from projections.queries import run
from tests.projections.story import (
    IMPORTER,
    NOTIFIER,
    SHOP,
    WATCHDOG,
    at,
    fact,
    handed,
    messages_of,
    model_rows,
    opened,
    sent,
)

END = "2026-03-09 09:00"


def story(order: str) -> list[Event]:
    """An order about which there is something in every model."""
    planned = {"message": "n", "kind": "stalled", "subject": "About it", "body": "News", "channel": "email"}
    return [
        opened(order=order),
        sent("2026-03-02 09:01", "2026-03-04 09:00", message="m", order=order),
        handed(SHOP, IMPORTER, "2026-03-02 10:00", order=order),
        fact("question.asked", SHOP, "2026-03-02 11:00", {"question": "q", "text": "?", "to": "customer"}, order=order),
        fact("promise.made", IMPORTER, "2026-03-02 12:00", {"promise": "p", "what": "it", "by_when": END}, order=order),
        fact("work.paused", IMPORTER, "2026-03-03 11:00", {"waiting_for": "customer"}, order=order),
        fact("message.planned", NOTIFIER, "2026-03-03 12:00", planned, order=order),
    ]


def alone(name: str, order: str, due: datetime, **more: Any) -> Event:
    """A fact of that name that says all that a model could read, but for what an order may be called."""
    data: dict[str, Any] = {
        "to": SHOP,
        "accountable": IMPORTER,
        "level": 1,
        "due": due.isoformat(),
        "question": "q",
        "promise": "p",
        "holds": False,
        "fact_id": "promise.made@2026-03-02 12:00",
        "fact_source": IMPORTER,
        **more,
    }
    source = IMPORTER
    if name.startswith("commitment."):
        about = commitment_id("receive", order, SHOP, "item.handed_over@2026-03-02 10:00")
        source, data = WATCHDOG, data | {"kind": "receive", "commitment": about}
    elif name.startswith("message."):
        source, data = NOTIFIER, data | {"kind": "received", "message": "n", "next_news_by": at(END).isoformat()}
    else:
        data |= {"outcome": "repaired", "waiting_for": "part", "direction": "outbound"}
    moment = at("2026-03-05 09:00")
    return make_event(name, source=source, id="alone", subject=order, time=moment, recordedtime=moment, data=data)


def test_each_kind_of_fact_alone_leaves_the_rows_of_a_rebuild(database: Database) -> None:
    names = {f"W-{number}": name for number, name in enumerate([*vocabulary.FACTS, "future.thing"])}
    told = [each for order in (*names, "W-S", "W-I") for each in story(order)]
    database.apply(messages_of(told))
    waiting = run(database, "commitments", {"kind": "receive", "limit": 1}, now=at(END))["commitments"]
    due = datetime.fromisoformat(waiting[0]["due_at"])
    last = [alone(name, order, due) for order, name in names.items()]
    last.append(alone("diagnosis.made", "W-S", due, serial="SN-9"))
    last.append(alone("diagnosis.made", "W-I", due, items=[{"serial": "SN-10"}]))
    for message in messages_of(last, first=len(told) + 1):
        database.apply([message])
    live = model_rows(database)
    database.rebuild()
    assert live == model_rows(database)


def test_a_fact_alone_that_comes_twice_counts_once(database: Database) -> None:
    told = story("W-1")
    database.apply(messages_of(told))
    again = told[-1].model_copy(update={"time": told[-1].time + timedelta(hours=1)})
    database.apply(messages_of([again], first=len(told) + 1))
    live = model_rows(database)
    database.rebuild()
    assert live == model_rows(database)
    assert len(live["voids"]) == 1
