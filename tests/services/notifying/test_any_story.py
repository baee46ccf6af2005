"""Whatever happens, in whatever order: nothing is told twice, and nobody is left with something that is not so."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from events.envelope import Event
from services.messages import TRIGGERS
from services.notifying.history import History
from services.notifying.mistakes import taken_back
from services.notifying.records import Send
from tests.services.notifying.chain import DAY, HOUR, IMPORTER, MONDAY, OPENED, REPAIRER, SHOP, Chain, corrected, fact

PARTIES = (SHOP, IMPORTER, REPAIRER)


def any_fact(pick: random.Random, number: int, said: list[Event]) -> Event:
    """One more fact, which need not make sense."""
    at, by, id = MONDAY + number * 7 * HOUR, pick.choice(PARTIES), f"f{number}"
    at -= pick.choice((timedelta(0), timedelta(0), 8 * HOUR))  # some are reported late
    recorded = MONDAY + number * 7 * HOUR
    match pick.randrange(10):
        case 0 | 1:
            return fact("item.handed_over", by, at, id, recorded, to=pick.choice(PARTIES))
        case 2 | 3:
            return fact("item.received", by, at, id, recorded)
        case 4:
            return fact("quote.offered", by, at, id, recorded, quote=id, amount="85.00", currency="EUR")
        case 5:
            return fact(pick.choice(("repair.started", "repair.completed")), by, at, id, recorded)
        case 6:
            return fact("repair.failed", by, at, id, recorded, why="no part", options=["refund"])
        case 7:
            name = pick.choice(("question.asked", "question.answered"))
            to = {"to": "customer"} if name == "question.asked" else {}
            return fact(name, by, at, id, recorded, question="q", text="?", **to)
        case 8:
            closes = pick.random() < 0.5
            return (
                fact("order.closed", SHOP, at, id, recorded, outcome=pick.choice(("repaired", "refunded")))
                if closes
                else fact("order.reopened", SHOP, at, id, recorded)
            )
    return corrected(pick.choice(said), recorded, id)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.heavy) for seed in range(1, 20))])
def test_she_hears_each_thing_once_and_no_mistake_stands(chain: Chain, seed: int) -> None:
    pick = random.Random(seed)
    said = [OPENED]
    for number in range(1, 12):
        said.append(any_fact(pick, number, said[1:] or [fact("part.arrived", SHOP, MONDAY, part="x")]))
    for event in said:
        chain.given(event)
        handle(chain, event)
    chain.clock.set(said[-1].time + DAY)
    messages = [event.data["message"] for event in chain.named("message.planned")]
    assert len(set(messages)) == len(messages)

    # Whoever comes back after a crash and sees all of it again has nothing to say.
    for event in said:
        assert event.name not in TRIGGERS or chain.plan_for(event) is None
    history = History.of(chain.timeline)
    assert taken_back(history) == ()
    if not history.open:
        closed = [told for told in history.sent if told.kind in ("closed", "ready", "repaired", "corrected")]
        assert closed


def handle(chain: Chain, event: Event) -> None:
    if event.name in TRIGGERS and (plan := chain.plan_for(event)):
        message = chain.record(plan)
        if chain.verdict_on(message) == Send():
            chain.sent(message)
