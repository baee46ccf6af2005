"""Simulated time: real services, and a clock that stops wherever something falls due, and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from events.envelope import Event
from events.log import last_position
from events.tail import read_until
from services.settings import load_settings
from services.simulation import Simulation, simulate
from tests.ready import projectors_borrow

SHOP, IMPORTER = "retailer:acme", "importer:north"
CARDS = {SHOP: {"display_name": "Acme"}, IMPORTER: {"display_name": "North"}}
PRODUCT = {"product": {"brand": "Example"}}
AN_INSTANT = timedelta(microseconds=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """In Amsterdam, in March 2026, whose second day is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=ZoneInfo("Europe/Amsterdam"))


def fact(id: str, name: str, order: str, moment: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": SHOP,
        "type": f"repairchain.{name}.v1",
        "subject": order,
        "time": moment.isoformat(),
        "data": data,
    }


@asynccontextmanager
async def running(home: Path, begin: datetime) -> AsyncIterator[Simulation]:
    settings = load_settings(home=home, nats_port=0)
    with projectors_borrow():
        async with simulate(settings, begin, CARDS) as simulation:
            yield simulation


async def overdue(simulation: Simulation, kind: str = "receive") -> list[Event]:
    """Every commitment.overdue about that kind at its due time in the log, in its order."""
    js = simulation.operator.jetstream()
    facts = [
        Event.from_json(payload) async for batch in read_until(js, await last_position(js)) for _, payload in batch
    ]
    overdue = [each for each in facts if each.name == "commitment.overdue" and each.data["kind"] == kind]
    return [each for each in overdue if each.data["level"] == 1]


async def test_it_stops_at_each_moment_at_which_something_falls_due(free_home: Path) -> None:
    async with running(free_home, at(2, 9)) as simulation:
        for order, handed_over in (("early", at(3, 10)), ("late", at(3, 16))):
            await simulation.advance(handed_over)
            await simulation.say(fact(f"o {order}", "order.opened", order, handed_over, PRODUCT))
            await simulation.say(fact(f"h {order}", "item.handed_over", order, handed_over, {"to": IMPORTER}))
        await simulation.advance(at(6, 9))
        noted = await overdue(simulation)
        assert simulation.clock.now() == at(6, 9)
    assert [(each.subject, each.time - AN_INSTANT) for each in noted] == [("early", at(5, 10)), ("late", at(5, 16))]


async def test_nothing_is_overdue_at_its_due_time_and_everything_is_just_after(free_home: Path) -> None:
    async with running(free_home, at(2, 10)) as simulation:
        await simulation.say(fact("o", "order.opened", "W-1", at(2, 10), PRODUCT))
        await simulation.say(fact("h", "item.handed_over", "W-1", at(2, 10), {"to": IMPORTER}))
        await simulation.advance(at(4, 10))  # sixteen opening hours later
        assert await overdue(simulation) == []
        await simulation.advance(at(4, 10) + AN_INSTANT)
        (noted,) = await overdue(simulation)
        assert (noted.time, noted.data["owed_by"]) == (at(4, 10) + AN_INSTANT, IMPORTER)
        await simulation.advance(at(6, 10))
        assert await overdue(simulation) == [noted]


@pytest.mark.heavy  # notifying/test_silence.py says it of the decisions, and the stories of real ones
async def test_weeks_of_silence_are_broken_every_time_before_news_is_due(free_home: Path) -> None:
    contact = {"name": "Zo", "channels": [{"kind": "email", "address": "zo@mail.example"}]}
    async with running(free_home, at(2, 9)) as simulation:
        await simulation.say(
            fact("o", "order.opened", "W-1", at(2, 9), PRODUCT | {"customer": "C-1", "contact": contact})
        )
        await simulation.advance(at(31, 9))
        noted = await overdue(simulation, "update")
        messages = (await simulation.ask("messages", {"order": "W-1"}))["messages"]
    assert noted == []
    told = [(row["kind"], datetime.fromisoformat(row["sent_at"])) for row in messages if row["status"] == "sent"]
    # Nobody has sent it on in four working days: on Thursday at 17 she hears that. A week later the shop is about to
    # close when news is due, so it comes at its cue; from then on it comes at that hour, five minutes before it is due.
    assert [(kind, moment.replace(microsecond=0)) for kind, moment in told[2:]] == [
        ("update", at(12, 15)),
        ("update", at(19, 15) - timedelta(minutes=5)),
        ("person", at(26, 15) - timedelta(minutes=10)),  # three such weeks are enough: a person is to call her
    ]
    assert [kind for kind, _ in told[:2]] == ["opened", "overdue"]
    promised = [datetime.fromisoformat(row["next_news_by"]) for row in messages]
    assert all(later < by for by, (_, later) in zip(promised, told[1:], strict=False))


async def test_what_is_refused_is_said_to_whoever_tells_the_story(free_home: Path) -> None:
    async with running(free_home, at(2, 9)) as simulation:
        receipt = await simulation.say(fact("x", "item.handed_over", "nobody's", at(2, 9), {"to": IMPORTER}))
        assert (receipt["outcome"], receipt["problem"]["type"].rpartition(":")[2]) == ("held", "unknown-order")
        with pytest.raises(ValueError, match="cannot go back"):
            await simulation.advance(at(1, 9))
