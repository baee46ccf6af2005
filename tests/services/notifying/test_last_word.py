"""How an order ends, and begins again: she hears it, once, and is promised nothing that nobody keeps."""

from __future__ import annotations

from typing import get_args

import pytest

from events.envelope import Event
from events.order import Outcome
from services.notifying.records import Send, Suppress
from tests.services.notifying.chain import (
    AT_IMPORTER,
    COMPLETED,
    DAY,
    FAILED,
    HOME,
    HOMEWARD,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    REPAIRER,
    SHOP,
    TO_IMPORTER,
    Chain,
    body_of,
    closed,
    fact,
    kind_of,
    opened,
    received,
)

END = MONDAY + 5 * DAY
RETURNED = fact("item.returned", SHOP, END - HOUR)
OUT = (OPENED, TO_IMPORTER, AT_IMPORTER)


def told(chain: Chain, *events: Event) -> list[str]:
    return [kind for event in events if (kind := chain.tell(event))]


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_a_close_is_told_with_how_it_ended_and_promises_no_further_news(chain: Chain, outcome: str) -> None:
    chain.story(*OUT)
    plan = chain.given(ending := closed(END, outcome)).plan_for(ending)
    assert plan is not None
    assert (plan.kind, plan.next_news_by, plan.news.outcome) == ("closed", None, outcome)
    words = {
        "repaired": "has been repaired",
        "replaced": "has been replaced",
        "refunded": "you get your money back",
        "unrepairable": "could not be repaired",
        "declined": "has not been repaired, as you decided",
        "cancelled": "has been cancelled",
    }
    assert words[outcome] in body_of(plan)
    # What is hers again is still with the importer.
    is_to_come = outcome in ("declined", "unrepairable", "cancelled")
    assert ("You will hear from us when it is here, or if" if is_to_come else "our last message about it") in body_of(
        plan
    )
    message = chain.record(plan)
    assert chain.verdict_on(message) == Send()
    chain.sent(message)
    assert chain.falls_overdue("update", END + 30 * DAY) == []


def test_what_is_closed_before_it_is_back_is_told_again_when_it_is_here(chain: Chain) -> None:
    chain.story(*OUT, COMPLETED)
    plan = chain.given(ending := closed(END, "repaired")).plan_for(ending)
    assert plan is not None
    assert "comes back to us first" in body_of(plan)
    assert "You will hear from us when it is here." in body_of(plan)
    chain.sent(chain.record(plan))
    homeward = fact("item.handed_over", REPAIRER, END + DAY, "homeward", to=SHOP)
    plan = chain.given(homeward, home := received(SHOP, END + 2 * DAY)).plan_for(home)
    assert plan is not None
    assert (plan.kind, plan.next_news_by) == ("ready", None)
    assert "We keep it safe for you. This is our last message about it" in body_of(plan)
    message = chain.record(plan)
    assert chain.verdict_on(message) == Send()
    chain.sent(message)
    assert chain.plan_for(home) is None


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("cancelled", "It has not been repaired, as its repair was cancelled."),
        ("declined", "unrepaired as you decided"),
        ("unrepairable", "We are sorry that it could not be repaired."),
    ],
)
def test_what_is_given_up_on_its_way_comes_home_and_she_hears_when_it_is_here(
    chain: Chain, outcome: str, said: str
) -> None:
    """She had called the repair off, was told that nothing more was needed, and heard nothing when it lay ready."""
    chain.story(OPENED, fact("item.handed_over", SHOP, MONDAY + HOUR, "away", to=REPAIRER))
    plan = chain.given(ending := closed(MONDAY + DAY, outcome)).plan_for(ending)
    assert "comes back to us first" in body_of(plan)
    assert "You will hear from us when it is here, or if it is not on its way by then." in body_of(plan)
    assert plan is not None
    chain.sent(chain.record(plan))
    there = received(REPAIRER, MONDAY + 2 * DAY)
    assert chain.given(there).plan_for(there) is None
    homeward = fact("item.handed_over", REPAIRER, MONDAY + 3 * DAY, "homeward", to=SHOP)
    plan = chain.given(homeward, home := received(SHOP, MONDAY + 4 * DAY)).plan_for(home)
    assert plan is not None
    assert (plan.kind, plan.next_news_by) == ("ready", None)
    assert said in body_of(plan)


@pytest.mark.parametrize("with_her", [True, False])
def test_who_has_the_replacement_is_not_asked_whether_she_does(chain: Chain, with_her: bool) -> None:
    chain.story(opened(at_home=with_her), fact("unit.replaced", SHOP, MONDAY + DAY))
    body = body_of(chain.given(ending := closed(END, "replaced")).plan_for(ending))
    assert ("If you do not have the replacement yet" in body) is not with_her


@pytest.mark.parametrize("outcome", ["refunded", "replaced"])
def test_what_is_not_to_be_hers_again_comes_back_to_us_unsaid(chain: Chain, outcome: str) -> None:
    away = fact("item.handed_over", SHOP, MONDAY + HOUR, "away", to=REPAIRER)
    chain.story(OPENED, away, received(REPAIRER, MONDAY + 2 * HOUR))
    chain.tell(closed(MONDAY + DAY, outcome))
    homeward = fact("item.handed_over", REPAIRER, MONDAY + 3 * DAY, "homeward", to=SHOP)
    assert chain.given(homeward, home := received(SHOP, MONDAY + 4 * DAY)).plan_for(home) is None


def test_whether_all_is_well_is_asked_once_and_not_every_week(chain: Chain) -> None:
    chain.story(*OUT, COMPLETED, HOMEWARD, HOME)
    chain.given(RETURNED)
    (overdue,) = chain.falls_overdue("update", END + 10 * DAY)
    plan = chain.plan_for(overdue)
    assert plan is not None
    assert (plan.kind, plan.next_news_by) == ("update", None)
    assert "If anything is not as it should be, please tell us." in body_of(plan)
    assert "This is our last message about it" in body_of(plan)
    message = chain.record(plan)
    assert chain.verdict_on(message) == Send()
    chain.sent(message)
    assert chain.falls_overdue("update", END + 30 * DAY) == []


def test_who_is_still_to_be_asked_is_not_told_that_this_was_the_last_message(chain: Chain) -> None:
    chain.story(OPENED, fact("repair.completed", REPAIRER, MONDAY + DAY))
    plan = chain.given(ending := closed(MONDAY + 2 * DAY)).plan_for(ending)
    assert plan is not None
    # She hears of the close on a Wednesday, and is asked one working day later.
    assert "You will hear from us on Thursday 5 November, when we ask you whether all is well" in body_of(plan)
    assert "our last message" not in body_of(plan)
    chain.sent(chain.record(plan))
    (overdue,) = chain.falls_overdue("check", MONDAY + 3 * DAY + HOUR)
    plan = chain.plan_for(overdue)
    assert plan is not None
    assert plan.kind == "check"
    assert "This is our last message about it" in body_of(plan)


@pytest.mark.parametrize(
    ("story", "outcome", "kind"),
    [
        ((*OUT, COMPLETED, HOMEWARD, HOME, RETURNED), "repaired", None),  # "ready for you" was the end
        ((*OUT, COMPLETED, HOMEWARD, HOME), "repaired", None),
        ((*OUT, COMPLETED, HOMEWARD, HOME, RETURNED), "refunded", "closed"),  # another end than she knows
        ((*OUT, COMPLETED), "repaired", "closed"),  # it was to come back to us, and we were to write
        ((OPENED, fact("repair.completed", SHOP, MONDAY + DAY)), "repaired", None),  # done by us, and ready here
        ((*OUT, FAILED, HOMEWARD, HOME, RETURNED), "unrepairable", "closed"),  # she was asked to choose
        ((*OUT, fact("quote.declined", SHOP, MONDAY + 3 * DAY), HOMEWARD, HOME), "declined", None),
        ((), "cancelled", "closed"),
    ],
)
def test_nobody_hears_the_same_end_twice(
    chain: Chain, story: tuple[Event, ...], outcome: str, kind: str | None
) -> None:
    chain.story(*(story or (OPENED,)))
    assert chain.tell(closed(END, outcome)) == kind


def test_an_end_said_by_two_parties_is_told_once_and_another_end_anew(chain: Chain) -> None:
    chain.story(*OUT)
    again = fact("order.closed", IMPORTER, END + HOUR, outcome="repaired")
    refunded = fact("order.closed", SHOP, END + 2 * HOUR, outcome="refunded")
    assert told(chain, closed(END), again, refunded) == ["closed", "closed"]
    assert [chain.plan_for(event) for event in chain.events if event.name == "order.closed"] == [None] * 3


@pytest.mark.parametrize("both", [False, True])
def test_each_thing_of_an_order_must_have_been_told_ready(chain: Chain, both: bool) -> None:
    lamps = opened(items=[{"item": "lamp 1"}, {"item": "lamp 2"}])
    one = fact("repair.completed", SHOP, MONDAY + DAY, item="lamp 1")
    other = fact("repair.completed", SHOP, MONDAY + DAY + HOUR, item="lamp 2")
    assert told(chain, lamps, one) == ["opened", "repaired"]
    assert told(chain, *((other,) if both else ())) == ["repaired"] * both
    assert chain.tell(closed(END)) == (None if both else "closed")


def test_a_ready_message_that_did_not_reach_her_was_none(chain: Chain) -> None:
    chain.story(*OUT, COMPLETED)
    chain.given(HOMEWARD, HOME).planned(HOME)  # it waits for another attempt
    assert chain.tell(closed(END)) == "closed"


def test_news_of_a_stage_is_not_told_after_the_end(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER)
    chain.given(AT_IMPORTER)
    message = chain.planned(AT_IMPORTER)
    chain.given(closed(END))
    assert chain.verdict_on(message) == Suppress("closed")


def test_the_last_word_is_not_said_of_an_order_that_was_taken_up_again(chain: Chain) -> None:
    chain.story(*OUT)
    chain.given(ending := closed(END))
    message = chain.planned(ending)
    chain.given(fact("order.reopened", SHOP, END + HOUR))
    assert chain.verdict_on(message) == Suppress("overtaken")


# -- taken up again ---------------------------------------------------------------------------------------------------


def test_taken_up_again_she_hears_so_with_the_date_of_the_next_news(chain: Chain) -> None:
    chain.story(*OUT, closed(END))
    again = fact("order.reopened", SHOP, END + DAY, reason="the crown is loose again")
    plan = chain.given(again).plan_for(again)
    assert kind_of(plan) == "reopened"
    assert (
        "We are sorry that the repair of your Halden Meridian is not finished after all. We have taken it up again. "
        "The reason: “the crown is loose again”." in body_of(plan)
    )
    assert "by Monday 16 November at 17:00 at the latest" in body_of(plan)
    assert "Het spijt ons dat de reparatie van uw Halden Meridian toch nog niet klaar is." in body_of(plan, "nl")


def test_closed_and_reopened_before_she_has_read_of_it_both_are_told(chain: Chain) -> None:
    chain.story(*OUT)
    waiting = chain.given(closed(END)).planned(closed(END))
    again = fact("order.reopened", SHOP, END + HOUR / 20, reason="the crown is loose again")
    chain.given(again)
    assert chain.verdict_on(waiting) == Suppress("overtaken")
    plan = chain.plan_for(again)
    assert "we had closed the repair of your Halden Meridian, and it is not finished after all" in body_of(plan)
    assert "we hadden de reparatie van uw Halden Meridian afgesloten" in body_of(plan, "nl")


def test_what_she_has_read_of_is_not_told_with_it(chain: Chain) -> None:
    chain.story(*OUT)
    chain.tell(closed(END))
    again = fact("order.reopened", SHOP, END + DAY)
    assert "closed" not in body_of(chain.given(again).plan_for(again)).partition("Would you like")[0]


def test_what_was_never_closed_is_not_taken_up_again(chain: Chain) -> None:
    chain.story(OPENED)
    assert chain.tell(fact("order.reopened", SHOP, MONDAY + DAY)) is None
    assert told(chain, closed(END), fact("order.reopened", SHOP, END + DAY)) == ["closed", "reopened"]
    assert chain.tell(fact("order.reopened", IMPORTER, END + 2 * DAY)) is None


def test_the_second_end_is_told_like_the_first(chain: Chain) -> None:
    chain.story(*OUT, closed(END), fact("order.reopened", SHOP, END + DAY))
    assert chain.tell(fact("order.closed", SHOP, END + 2 * DAY, outcome="repaired")) == "closed"


# -- the beginning ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("earlier", [False, True])
def test_an_order_that_is_opened_twice_is_welcomed_once(chain: Chain, earlier: bool) -> None:
    assert chain.tell(OPENED) == "opened"
    again = fact(
        "order.opened",
        SHOP,
        MONDAY - HOUR if earlier else MONDAY + HOUR,
        id="again",
        recorded=MONDAY + HOUR,
        customer="C-77",
        product={"brand": "Halden"},
    )
    assert chain.tell(again) is None


def test_of_two_openings_at_once_one_is_told(chain: Chain) -> None:
    again = fact("order.opened", SHOP, MONDAY, id="again", customer="C-77", product={"brand": "Halden"})
    chain.given(OPENED, again)
    assert [kind_of(chain.plan_for(event)) for event in (OPENED, again)] == [None, "opened"]
    chain.told(again)
    assert chain.plan_for(OPENED) is None


def test_opened_again_after_it_went_out_is_no_welcome_either(chain: Chain) -> None:
    chain.story(*OUT)
    again = fact("order.opened", SHOP, MONDAY + 2 * DAY, id="again", customer="C-77", product={"brand": "Halden"})
    assert chain.tell(again) is None
    assert chain.tell(received(REPAIRER, MONDAY + 3 * DAY)) == "received"


@pytest.mark.parametrize("there", [True, False])
def test_what_is_given_up_while_it_is_away_has_a_date_and_she_hears_first_if_it_is_missed(
    chain: Chain, there: bool
) -> None:
    away = fact("item.handed_over", SHOP, MONDAY + HOUR, "away", to=REPAIRER)
    chain.story(OPENED, away, *((received(REPAIRER, MONDAY + 2 * HOUR),) if there else ()))
    plan = chain.given(ending := closed(MONDAY + DAY, "cancelled")).plan_for(ending)
    assert plan is not None
    assert "comes back to us first, and is to be on its way by Thursday 5 November" in body_of(plan)
    assert "You will hear from us when it is here, or if it is not on its way by then." in body_of(plan)
    assert "komt nu eerst terug naar ons en is uiterlijk donderdag 5 november onderweg" in body_of(plan, "nl")
    chain.sent(chain.record(plan))
    (late,) = chain.falls_overdue("forward", MONDAY + 4 * DAY)
    plan = chain.plan_for(late)
    assert plan is not None
    assert (plan.kind, plan.next_news_by) == ("overdue", None)
    assert "it was to be on its way back to us by Thursday 5 November, and has not been sent yet" in body_of(plan)
    assert "You will hear from us when it is here." in body_of(plan)
    assert "our last message" not in body_of(plan)
    assert "uiterlijk donderdag 5 november" in body_of(plan, "nl")
    assert "U hoort van ons wanneer het hier is." in body_of(plan, "nl")
    message = chain.record(plan)
    assert chain.verdict_on(message) == Send()
    chain.given(fact("item.handed_over", REPAIRER, MONDAY + 4 * DAY + HOUR, "homeward", to=SHOP))
    assert chain.verdict_on(message) == Suppress("met")


def test_what_is_lost_on_its_way_home_is_told_though_the_order_is_closed(chain: Chain) -> None:
    away = fact("item.handed_over", SHOP, MONDAY + HOUR, "away", to=REPAIRER)
    chain.story(OPENED, away, received(REPAIRER, MONDAY + 2 * HOUR), closed(MONDAY + DAY, "cancelled"))
    chain.given(fact("item.handed_over", REPAIRER, MONDAY + 2 * DAY, "homeward", to=SHOP))
    (late,) = chain.falls_overdue("receive", MONDAY + 9 * DAY)
    assert "it was sent back to us on Wednesday 4 November" in body_of(chain.plan_for(late))
