"""Why a planned message has not left yet, by the notifier's own rules, and how that is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from cli.holding import why
from cli.render.messages import messages
from cli.render.timeline import timeline
from events.envelope import Event, iso
from services.contact import Contact
from services.notifying.records import PlannedMessage
from tests.cli.drawing import MOMENTS, draw
from tests.cli.examples import MESSAGES, TIMELINE
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
    return why(message.message, chain.query("histories", about)["histories"][ORDER], contact, now)


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


# -- as people read it -------------------------------------------------------------------------------------------------

HELD: dict[str, Any] = {"status": "planned", "sent_at": None, "waits_for": "quiet_hours", "waits_until": MORNING}


@pytest.mark.parametrize(
    ("reason", "until", "said"),
    [
        ("quiet_hours", "2026-11-19T07:00:00Z", "waits until Thu 19 Nov 08:00 for the end of her quiet hours"),
        ("more_to_tell", "2026-11-18T09:06:00Z", "waits until Wed 18 Nov 10:06 for what else there may be to tell"),
        ("tomorrow", "2026-11-19T07:00:00Z", "waits until Thu 19 Nov 08:00, as she has had all her letters of today"),
        ("channel", None, "waits for a channel that did not take it yet"),
    ],
)
def test_a_planned_message_says_what_it_waits_for(reason: str, until: str | None, said: str) -> None:
    held = HELD | {"waits_for": reason, "waits_until": until}
    row = MESSAGES["messages"][0] | held
    listed = " ".join(draw(messages({"messages": [row]}, MOMENTS)).split())
    assert f"planned, {said}" in listed
    assert "planned: not sent yet" not in listed  # it need not be guessed
    planned = next(each for each in TIMELINE["entries"] if each["type"] == "message.planned")
    row |= {"message_id": planned["data"]["message"]}
    told = " ".join(draw(timeline(TIMELINE | {"entries": [planned], "messages": [row]}, MOMENTS)).split())
    assert f"; it {said}" in told
