"""What a customer would notice: whose turn it is, which thing is meant, how late we are, and that we heard her."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from events.chain import MessageKind
from services.notifying.decency import Manners, not_before
from services.notifying.phrases import says_sorry_first
from services.notifying.records import Answer, Decision, Ending, News, Other, Promised
from services.notifying.wording import compose
from tests.services.notifying.chain import (
    AT_IMPORTER,
    AT_REPAIRER,
    COMPLETED,
    DAY,
    FAILED,
    HOUR,
    MONDAY,
    OPENED,
    QUOTE,
    REPAIRER,
    SHOP,
    TO_IMPORTER,
    TO_REPAIRER,
    Chain,
    body_of,
    fact,
    kind_of,
    opened,
)
from tests.services.notifying.letters import CARDS, NEWS, NOW, planned, problems
from tests.services.notifying.letters import QUOTE as PRICE

OUT = (OPENED, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER, AT_REPAIRER)
YES = fact("quote.accepted", SHOP, MONDAY + 2 * DAY + 3 * HOUR, quote="q1")
NO = fact("quote.declined", SHOP, MONDAY + 2 * DAY + 3 * HOUR, quote="q1")


def letter(kind: MessageKind, news: News, language: str = "en") -> str:
    """The letter as she reads it; it lacks nothing and holds nothing that it should not."""
    plan = planned(kind, news)
    wording = compose(plan, CARDS, language)
    assert problems(wording, plan) == []
    return wording.body


# -- her choice after a repair that failed -----------------------------------------------------------------------------


def test_who_does_not_choose_is_reminded_and_not_told_of_a_delay(chain: Chain) -> None:
    chain.story(*OUT, FAILED)
    late = MONDAY + 20 * DAY
    assert chain.falls_overdue("forward", late) == []
    reminder = chain.plan_for(chain.falls_overdue("decide", late)[-1])
    assert kind_of(reminder) == "update"
    body = body_of(reminder)
    assert "we have not heard from you yet how you would like to go on" in body
    assert not says_sorry_first(body, "en")
    assert "delay" not in body


def test_who_wants_to_think_about_a_price_is_not_told_that_we_have_heard_nothing(chain: Chain) -> None:
    """She had phoned to say so, and was reminded that we had not heard from her."""
    thinks = fact("customer.contacted", SHOP, MONDAY + 4 * DAY, channel="phone", direction="inbound")
    chain.story(*OUT, QUOTE, thinks)
    reminder = body_of(chain.plan_for(chain.falls_overdue("decide", MONDAY + 12 * DAY)[-1]))
    assert "we do not have your yes or no yet to the repair of your Halden Meridian" in reminder
    assert "heard" not in reminder


def test_who_has_said_something_is_not_asked_again(chain: Chain) -> None:
    chain.story(*OUT, FAILED)
    chain.given(
        fact("customer.contacted", "customer:C-77", MONDAY + 4 * DAY, channel="email", direction="inbound", summary="x")
    )
    late = MONDAY + 20 * DAY
    assert chain.falls_overdue("decide", late) == []
    told = chain.plan_for(chain.falls_overdue("update", late)[-1])
    assert "We have your message about your Halden Meridian, which could not be repaired" in body_of(told)


# -- an answer that comes late ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "sorry"), [(1, False), (8, True)])
def test_a_late_answer_says_sorry_first(chain: Chain, days: int, sorry: bool) -> None:
    asked = fact("question.asked", "customer:C-77", MONDAY + HOUR, question="q", text="When?", to=SHOP)
    answered = fact("question.answered", SHOP, MONDAY + days * DAY, question="q", text="On Friday")
    chain.story(OPENED)
    chain.given(asked, answered)
    body = body_of(chain.plan_for(answered))
    assert says_sorry_first(body, "en") is sorry
    assert ("you should have had this answer by Wednesday 4 November." in body) is sorry


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_late_answer_in_words(language: str) -> None:
    body = letter("answer", replace(NEWS, answer=Answer("Yes", "Is it?", NOW - DAY)), language)
    assert says_sorry_first(body, language)


# -- several things in one order --------------------------------------------------------------------------------------


def test_which_of_several_things_is_done_and_what_of_the_others(chain: Chain) -> None:
    lamps = opened(items=[{"item": name} for name in ("lamp 1", "lamp 2", "lamp 3")])
    chain.story(lamps, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER, AT_REPAIRER)
    first = fact("repair.completed", REPAIRER, MONDAY + 3 * DAY, item="lamp 1")
    second = fact("repair.failed", REPAIRER, MONDAY + 3 * DAY + HOUR, item="lamp 2", why="glass")
    chain.given(first)
    body = body_of(chain.plan_for(first))
    assert "your Halden Meridian (lamp 1) has been repaired" in body
    assert "How it stands with the other things in this order:\n- still in hand: lamp 2, lamp 3" in body
    chain.given(second)
    body = body_of(chain.plan_for(second))
    assert "- done: lamp 1\n- still in hand: lamp 3" in body


def test_one_that_is_done_does_not_end_the_order(chain: Chain) -> None:
    lamps = opened(items=[{"item": "lamp 1"}, {"item": "lamp 2"}])
    chain.story(lamps, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER, AT_REPAIRER)
    chain.tell(fact("repair.completed", REPAIRER, MONDAY + 3 * DAY, item="lamp 1"))
    plan = chain.plan_for(chain.falls_overdue("update", MONDAY + 20 * DAY)[-1])
    assert plan is not None
    assert plan.news.ending is None
    assert "- done: lamp 1\n- still in hand: lamp 2" in body_of(plan)


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("kind", ["repaired", "failed", "ready", "update"])
def test_many_things_are_counted(kind: MessageKind, language: str) -> None:
    many = tuple(Other(f"lamp {number}", "repaired" if number < 20 else None) for number in range(39))
    body = letter(kind, replace(NEWS, ending=None if kind == "update" else "repaired", others=many), language)
    assert ("20 of them" if language == "en" else "20 stuks") not in body.partition("\n- ")[0]
    assert ("still in hand: 19 of them" if language == "en" else "nog in behandeling: 19 stuks") in body


# -- her yes or no -----------------------------------------------------------------------------------------------------


def test_her_yes_is_acknowledged_with_what_comes_next_and_by_when(chain: Chain) -> None:
    chain.story(*OUT, QUOTE)
    chain.given(YES)
    plan = chain.plan_for(YES)
    assert kind_of(plan) == "decision"
    body = body_of(plan)
    assert body.startswith(
        "Thank you: we have your yes to the repair of your Halden Meridian for €85.00, tax included."
    )
    assert "What happens next: the repair itself." in body
    assert "You will hear from us again by" in body


def test_her_no_is_acknowledged(chain: Chain) -> None:
    chain.story(*OUT, QUOTE)
    chain.given(NO)
    body = body_of(chain.plan_for(NO))
    assert "you have decided against the repair of your Halden Meridian for €85.00" in body
    assert "it comes back to us" in body


def test_a_yes_that_the_end_of_the_work_has_overtaken_is_not_told(chain: Chain) -> None:
    chain.story(*OUT, QUOTE)
    chain.given(YES, COMPLETED)
    assert chain.plan_for(YES) is None


def test_the_acknowledgement_waits_for_no_morning() -> None:
    at_night = NOW.replace(hour=22)
    manners = Manners.of(None, None)
    assert not_before(manners, at_night, kind="decision", happened=at_night, urgency=None, letters=0) == at_night
    assert not_before(manners, at_night, kind="update", happened=at_night, urgency=None, letters=0) > at_night


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize("news", [NEWS, replace(NEWS, never_left=True), replace(NEWS, asked=True, questions=("Why?",))])
def test_the_acknowledgement_in_words(news: News, yes: bool, language: str) -> None:
    ending: Ending | None = None if yes else "declined"
    letter("decision", replace(news, decision=Decision(yes, PRICE), ending=ending), language)


# -- the same thing again ---------------------------------------------------------------------------------------------


STANDS = [
    replace(NEWS, last_fact_at=NOW - 20 * DAY, chased=2, chased_at=NOW - DAY),
    replace(NEWS, handed_at=NOW - 9 * DAY, due=NOW - 7 * DAY, last_fact_at=NOW - 20 * DAY),
    replace(NEWS, status="received", quote=PRICE),
    replace(NEWS, status="received", ending="failed", options=("refund",)),
    replace(NEWS, status="received", asked=True, questions=("Which strap?",)),
    replace(NEWS, status="ready", ending="repaired", place="us"),
    replace(NEWS, status="received", ending="failed", chosen=True, last_fact_at=NOW - 20 * DAY),
]


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("news", STANDS)
def test_no_letter_is_the_same_twice(news: News, language: str) -> None:
    letters = [letter("update", replace(news, silent=times), language) for times in range(3)]
    if not news.chosen:
        assert len(set(letters)) == 3 if news.status not in ("ready",) and "price" not in letters[0] else 2
    assert "Sanne" in letters[1].partition("Ask for")[0].partition("Vraag naar")[0] or news.chosen


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("news", STANDS)
def test_a_person_takes_over(news: News, language: str) -> None:
    body = letter("person", replace(news, silent=3), language)
    words = (
        "Sanne will get in touch with you in person" if language == "en" else "Sanne neemt persoonlijk contact met u op"
    )
    assert words in body
    letter("update", replace(news, silent=4, uncalled=True), language)


# -- a date that moves again ------------------------------------------------------------------------------------------


def test_a_date_that_moves_again_says_so_and_what_the_first_was(chain: Chain) -> None:
    made = fact(
        "promise.made",
        REPAIRER,
        MONDAY + 2 * DAY + HOUR,
        promise="p",
        by_when="2026-11-10T16:00:00Z",
        kind="repair",
        what="it",
    )
    moves = [
        fact("promise.moved", REPAIRER, MONDAY + days * DAY, promise="p", by_when=f"2026-11-{to}T16:00:00Z", reason="x")
        for days, to in ((3, 12), (4, 17))
    ]
    chain.story(*OUT)
    assert [chain.tell(each) for each in (made, moves[0])] == ["promise", "promise"]
    chain.given(moves[1])
    plan = chain.plan_for(moves[1])
    body = body_of(plan)
    assert "by Thursday 12 November; the new date is Tuesday 17 November." in body
    assert "This is not the first time that the date has moved: at first we had named Tuesday 10 November." in body
    assert plan is not None
    assert "has moved again" in compose(plan, CARDS, "en").subject


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_third_date_in_words(language: str) -> None:
    moved = Promised(NOW + 9 * DAY, NOW + 2 * DAY, "repair", first=NOW - timedelta(days=1))
    letter("promise", replace(NEWS, promised=moved), language)


# -- an order that is opened again ------------------------------------------------------------


def test_reopening_what_is_open_keeps_the_promised_date(chain: Chain) -> None:
    chain.story(OPENED)
    (before,) = [
        row["promised_at"]
        for row in chain.timeline["commitments"]
        if row["kind"] == "update" and row["state"] == "open"
    ]
    chain.given(fact("order.reopened", SHOP, MONDAY + 2 * HOUR, reason="x"))
    (after,) = [
        row["promised_at"]
        for row in chain.timeline["commitments"]
        if row["kind"] == "update" and row["state"] == "open"
    ]
    assert before is not None
    assert after == before
