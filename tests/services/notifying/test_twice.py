"""A repair that was entered twice: two welcomes, and one sentence that they are one."""

from __future__ import annotations

from typing import Any

import pytest

from events.envelope import Event, make_event
from events.party import NOTIFIER
from services.messages import decide_delivery, decide_plan
from services.notifying.history import History
from services.notifying.records import MessagePlan, PlannedMessage, Send, Suppress
from services.notifying.twice import other_numbers
from services.notifying.wording import compose
from tests.services.notifying.chain import (
    CARDS,
    DAY,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    ORDER,
    POLICY,
    QUOTE,
    SHOP,
    TO_IMPORTER,
    Chain,
    body_of,
    fact,
    kind_of,
    opened,
    received,
)
from tests.services.notifying.two_orders import planned

AGAIN = opened(MONDAY + HOUR, id="again").model_copy(update={"subject": "W-2"})
ONE = fact("order.merged", SHOP, MONDAY + 2 * HOUR, into=ORDER).model_copy(update={"subject": "W-2"})
APART = fact("order.unmerged", SHOP, MONDAY + 3 * HOUR).model_copy(update={"subject": "W-2"})
ARRIVED = received(IMPORTER, MONDAY + DAY)


def story_of(chain: Chain, order: str) -> dict[str, Any]:
    return chain.query("timeline", {"order": order, "raw": True})


def welcomed_again(chain: Chain) -> None:
    """The other number has a welcome of its own."""
    plan = decide_plan(AGAIN, story_of(chain, "W-2"), POLICY, chain.clock.now())
    assert plan is not None
    note = planned(plan)
    chain.add(note)
    told = {
        name: note.data[name] for name in ("message", "kind", "language", "channel", "subject", "body", "next_news_by")
    }
    at = chain.clock.now()
    chain.add(
        make_event(
            "message.sent",
            source=NOTIFIER,
            id=f"outcome:{plan.message}",
            subject="W-2",
            time=at,
            recordedtime=at,
            data=told,
        )
    )


@pytest.fixture
def twice(chain: Chain) -> Chain:
    """Both were welcomed, and then it was said that they are one."""
    chain.given(OPENED).told(OPENED)
    welcomed_again(chain.given(AGAIN))
    return chain.given(ONE)


def plan_of(chain: Chain, trigger: Event) -> MessagePlan:
    plan = chain.plan_for(trigger)
    assert plan is not None
    return plan


def test_she_hears_at_once_that_they_are_one(twice: Chain) -> None:
    plan = plan_of(twice, ONE)
    assert (plan.kind, plan.order, plan.news.other_numbers) == ("corrected", ORDER, ("W-2",))
    body = body_of(plan)
    assert body.startswith("Your repair was entered twice by mistake, as W-2 and as W-1001, and we are sorry.")
    assert "goes on as W-1001" in body
    assert "Where it stands: " in body
    assert "You will hear from us again by" in body
    assert "als W-2 en als W-1001" in body_of(plan, "nl")


def test_it_is_said_once(twice: Chain) -> None:
    message = twice.record(plan_of(twice, ONE))
    assert twice.verdict_on(message) == Send()
    twice.sent(message)
    assert twice.plan_for(ONE) is None
    assert other_numbers(History.of(twice.timeline)) == ()
    twice.given(TO_IMPORTER, ARRIVED)
    assert "entered twice" not in body_of(twice.plan_for(ARRIVED))


def test_that_it_is_said_again_is_no_news(twice: Chain) -> None:
    twice.sent(twice.record(plan_of(twice, ONE)))
    again, once_more = (
        fact("order.merged", SHOP, at, into=ORDER).model_copy(update={"subject": "W-2"})
        for at in (ONE.time + HOUR / 2, APART.time + HOUR)
    )
    assert twice.given(again).plan_for(again) is None
    # Once it was said that they are two, it is.
    assert plan_of(twice.given(APART, once_more), once_more).news.other_numbers == ("W-2",)


def test_where_something_else_is_on_its_way_the_next_letter_says_it(chain: Chain) -> None:
    chain.given(OPENED).told(OPENED)
    welcomed_again(chain.given(AGAIN))
    chain.given(QUOTE).planned(QUOTE)
    chain.given(ONE)
    assert chain.plan_for(ONE) is None
    chain.sent(PlannedMessage.of(chain.named("message.planned")[-1]))
    chain.given(TO_IMPORTER, ARRIVED)
    asked = fact("question.asked", IMPORTER, QUOTE.time + HOUR, question="q", text="Which strap?", to="customer")
    body = body_of(chain.given(asked).plan_for(asked))
    assert body.startswith("Your repair was entered twice by mistake, as W-2 and as W-1001")
    assert "Which strap?" in body


def test_a_letter_that_said_it_meanwhile_overtakes_it(twice: Chain) -> None:
    message = twice.record(plan_of(twice, ONE))
    twice.given(TO_IMPORTER, ARRIVED)
    twice.told(ARRIVED)
    assert twice.verdict_on(message) == Suppress("overtaken")


def test_whom_nobody_wrote_to_by_the_other_number_is_spared_it(chain: Chain) -> None:
    chain.given(OPENED).told(OPENED)
    chain.given(AGAIN, ONE)
    assert chain.plan_for(ONE) is None


def test_what_was_no_mistake_after_all_is_not_told(twice: Chain) -> None:
    message = twice.record(plan_of(twice, ONE))
    twice.given(APART)
    assert decide_delivery(message, story_of(twice, ORDER), POLICY, twice.clock.now()) == Suppress("corrected")


def test_a_closed_order_wants_no_correction(twice: Chain) -> None:
    twice.given(fact("order.closed", SHOP, MONDAY + 3 * HOUR, outcome="cancelled"))
    assert kind_of(twice.plan_for(ONE)) is None


# -- at her home ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "thanks", "visit", "came"),
    [
        ("en", "Thank you for telling us about your", "somebody comes to you to look at", "turning to us"),
        ("nl", "Dank u wel voor uw bericht over uw", "er komt iemand bij u langs om naar", "ingeschakeld"),
    ],
)
def test_the_welcome_of_what_is_mended_at_her_home_speaks_of_the_visit(
    chain: Chain, language: str, thanks: str, visit: str, came: str
) -> None:
    at_home = opened(at_home=True)
    body = compose(plan_of(chain.given(at_home), at_home), CARDS, language).body
    assert thanks in body
    assert visit in body
    assert came not in body


def test_a_visit_that_is_planned_says_so_too(chain: Chain) -> None:
    window: Any = {"from": (MONDAY + DAY).isoformat(), "until": (MONDAY + DAY + HOUR).isoformat()}
    visit = fact("visit.scheduled", SHOP, MONDAY, visit="v", **window)
    assert plan_of(chain.given(OPENED, visit), OPENED).news.never_left


def test_where_nobody_says_where_it_is_the_welcome_does_not_say_that_she_brought_it(chain: Chain) -> None:
    plan = chain.given(OPENED).plan_for(OPENED)
    assert body_of(plan).startswith("Thank you for turning to us with your")
    assert body_of(plan, "nl").startswith("Dank u wel dat u ons hebt ingeschakeld voor uw")
