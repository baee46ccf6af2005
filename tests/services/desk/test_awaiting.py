"""Why a planned message has not left yet, by the notifier's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from events.envelope import Event, iso
from services.answering import TooLargeError
from services.contact import Contact
from services.desk.awaiting import histories_of, waits
from services.notifying.records import PlannedMessage
from tests.ready import lent_database
from tests.services.notifying.chain import DAY, HOUR, MONDAY, OPENED, ORDER, PATIENCE, REPAIRER, SHOP, Chain, fact
from tests.services.notifying.post import ANNA, extra

EVENING = MONDAY.replace(hour=21, minute=30)
MORNING = iso((MONDAY + DAY).replace(hour=7, minute=0))


@pytest.fixture
def chain() -> Iterator[Chain]:
    """An order that was opened, as its customer knows."""
    with lent_database() as database:
        chain = Chain(database)
        chain.given(OPENED).told(OPENED)
        yield chain


def reason(chain: Chain, trigger: Event, contact: Contact | None = ANNA) -> tuple[str | None, str | None]:
    message = chain.given(trigger).planned(trigger)
    return of(chain, message, contact)


def of(chain: Chain, message: PlannedMessage, contact: Contact | None = ANNA) -> tuple[str | None, str | None]:
    now = chain.clock.now()
    about = {"orders": [ORDER], "letters_since": (now - timedelta(hours=36)).isoformat()}
    found = waits(chain.query("histories", about)["histories"][ORDER], contact, now)[message.message]
    return found["waits_for"], found["waits_until"]


def question(at: datetime) -> Event:
    return fact("question.asked", REPAIRER, at, question="k1", text="How long does it run?", to="customer")


def test_what_presses_leaves_by_day(chain: Chain) -> None:
    assert reason(chain, question(MONDAY + HOUR)) == (None, None)


def test_progress_waits_for_more_to_tell(chain: Chain) -> None:
    done = fact("repair.completed", SHOP, MONDAY + HOUR)
    assert reason(chain, done) == ("more_to_tell", iso(done.time + PATIENCE))


def test_at_night_it_waits_for_the_end_of_her_own_quiet_hours(chain: Chain) -> None:
    asked = question(EVENING)
    message = chain.given(asked).planned(asked)
    assert of(chain, message) == ("quiet_hours", MORNING)
    assert of(chain, message, None) == ("quiet_hours", MORNING)  # those of the policy
    assert of(chain, message, ANNA.model_copy(update={"quiet": "never"})) == (None, None)


def test_beyond_so_many_letters_it_waits_for_tomorrow(chain: Chain) -> None:
    first = PlannedMessage.of(chain.named("message.planned")[0])
    for count in range(3):
        chain.clock.set(MONDAY + HOUR * (count + 1) / 10)
        chain.sent(extra(chain, first, f"msg-{count}"))
    assert reason(chain, question(MONDAY + HOUR)) == ("tomorrow", MORNING)


def test_what_was_tried_waits_for_a_channel(chain: Chain) -> None:
    asked = question(MONDAY + HOUR)
    message = chain.given(asked).planned(asked)
    tried = {"message": message.message, "channel": "email", "attempt": 1}
    chain.add(chain._ours("message.attempted", "a1", chain.clock.now(), tried))
    assert of(chain, message) == ("channel", None)


async def test_an_order_that_is_too_long_to_be_read_hides_no_other() -> None:
    asked: list[int] = []

    async def ask(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        asked.append(len(args["orders"]))
        if "W-long" in args["orders"]:
            raise TooLargeError("the answer is too large")
        return {"histories": {order: {"order": {"order_id": order}} for order in args["orders"]}}

    found = await histories_of(["W-1", "W-long", "W-2"], ask, MONDAY)
    assert [history["order"]["order_id"] for history in found] == ["W-1", "W-2"]
    assert asked == [3, 1, 1, 1]
