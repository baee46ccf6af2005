"""Answers, dates, visits and who pays are told each for itself, beside the milestone that speaks, and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.envelope import Event
from services.notifying.records import Answer, Cover, Promised, Send, Suppress, Visit
from tests.services.notifying.chain import (
    AT_IMPORTER,
    AT_REPAIRER,
    DAY,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    REPAIRER,
    SHOP,
    TO_IMPORTER,
    TO_REPAIRER,
    Chain,
    body_of,
    closed,
    corrected,
    fact,
    kind_of,
)

#: It is at the repairer's, on Wednesday.
OUT = (OPENED, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER, AT_REPAIRER)
NOON = MONDAY + 2 * DAY + 2 * HOUR
FRIDAY = datetime(2026, 11, 6, 16, 0, tzinfo=UTC)
NEXT_WEEK = datetime(2026, 11, 13, 16, 0, tzinfo=UTC)


def asked(by: str = SHOP, at: datetime = NOON, **data: Any) -> Event:
    return fact("question.asked", by, at, question="q1", text="Will it keep its engraving?", **data)


def answered(by: str = REPAIRER, at: datetime = NOON + HOUR, text: str = "It will", id: str = "") -> Event:
    return fact("question.answered", by, at, id, question="q1", text=text)


def promised(by: datetime, at: datetime = NOON, who: str = REPAIRER, id: str = "", **data: Any) -> Event:
    given = {"promise": "p1", "what": "repaired", "kind": "repair", "by_when": by.isoformat()} | data
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return fact("promise.made", who, at, id, **said)


def moved(by: datetime, at: datetime, who: str = REPAIRER, **data: Any) -> Event:
    return fact("promise.moved", who, at, promise="p1", by_when=by.isoformat(), reason="no bench is free", **data)


def visit(begin: datetime, at: datetime = NOON, id: str = "", **data: Any) -> Event:
    window: dict[str, Any] = {"from_": begin.isoformat(), "until": (begin + 2 * HOUR).isoformat()}
    return fact("visit.scheduled", REPAIRER, at, id, visit="v1", **window, **data)


def decided(at: datetime = NOON, id: str = "", **data: Any) -> Event:
    said: dict[str, Any] = {
        "decision": "not_covered",
        "cause": "limescale",
        "decider": IMPORTER,
        "appeal": "write within a month",
    }
    return fact("cover.decided", IMPORTER, at, id, **(said | data))


def tell(chain: Chain, *events: Event) -> list[str | None]:
    return [chain.tell(event) for event in events]


# -- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (asked(), "answer"),  # of the shop to the shop: hers
        (asked("customer:C-77", to=SHOP), "answer"),
        (asked("customer:C-77", to=IMPORTER), "answer"),
        (asked(to="nobody that we know"), "answer"),
        (asked(to=REPAIRER), None),  # the shop's own
        (asked(REPAIRER), None),  # the repairer's, to the shop
        (asked(REPAIRER, to="customer"), None),  # ours to her
    ],
)
def test_the_answer_to_a_question_of_hers_is_told(chain: Chain, question: Event, kind: str | None) -> None:
    chain.story(*OUT)
    chain.given(question)
    assert chain.tell(answered()) == kind


def test_the_answer_is_in_the_message(chain: Chain) -> None:
    chain.story(*OUT, asked())
    plan = chain.given(answered()).plan_for(answered())
    assert plan is not None
    assert plan.news.answer == Answer("It will", "Will it keep its engraving?")
    assert plan.next_news_by is not None


def test_an_answer_to_nothing_that_was_asked_is_none_of_hers(chain: Chain) -> None:
    chain.story(*OUT)
    assert chain.tell(answered()) is None


def test_an_answer_after_the_close_is_told_and_promises_nothing(chain: Chain) -> None:
    chain.story(*OUT, asked())
    chain.tell(closed(NOON + HOUR / 2, "cancelled"))
    plan = chain.given(answered()).plan_for(answered())
    assert kind_of(plan) == "answer"
    assert plan is not None
    assert plan.next_news_by is None
    assert chain.verdict_on(chain.record(plan)) == Send()


def test_the_close_does_not_keep_an_answer_that_waits(chain: Chain) -> None:
    chain.story(*OUT, asked())
    message = chain.given(answered()).planned(answered())
    chain.given(closed(NOON + 2 * HOUR))
    assert chain.verdict_on(message) == Send()


def test_an_answer_said_again_is_told_once_and_another_answer_is_told(chain: Chain) -> None:
    chain.story(*OUT, asked())
    again = answered(at=NOON + 2 * HOUR, text=" It  will")
    other = answered(at=NOON + 3 * HOUR, text="It will not")
    assert tell(chain, answered(), again, other) == ["answer", None, "answer"]


def test_of_two_answers_the_last_holds(chain: Chain) -> None:
    chain.story(*OUT, asked())
    first, other = answered(), answered(IMPORTER, NOON + 2 * HOUR, "It will not")
    waiting = chain.given(first).planned(first)
    chain.given(other)
    assert chain.verdict_on(waiting) == Suppress("overtaken")
    assert kind_of(chain.plan_for(other)) == "answer"


def test_an_answer_that_is_taken_back_is_not_told(chain: Chain) -> None:
    chain.story(*OUT, asked())
    message = chain.given(answered()).planned(answered())
    chain.given(corrected(answered(), NOON + 2 * HOUR))
    assert chain.verdict_on(message) == Suppress("corrected")


def test_once_she_has_it_back_an_answer_promises_nothing_more(chain: Chain) -> None:
    chain.story(OPENED, fact("item.returned", SHOP, MONDAY + HOUR), asked())
    plan = chain.given(answered()).plan_for(answered())
    assert plan is not None
    assert plan.next_news_by is None


# -- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promise", "kind"),
    [
        (promised(FRIDAY), "promise"),
        (promised(FRIDAY, kind="diagnose"), "promise"),
        (promised(FRIDAY, kind="return", who=SHOP), "promise"),
        (promised(FRIDAY, kind="cover", who=IMPORTER), "promise"),
        (promised(FRIDAY, kind="forward"), None),  # from one link to the next
        (promised(FRIDAY, kind="forward", to="customer"), "promise"),
        (promised(FRIDAY, kind=None), "promise"),  # by whoever has it
        (promised(FRIDAY, kind=None, who=IMPORTER), None),
        (promised(FRIDAY, kind=None, who=IMPORTER, to="customer:C-77"), "promise"),
        (promised(FRIDAY, kind=None, to=IMPORTER), None),  # between the two of them
        (promised(NOON), None),  # has passed already
    ],
)
def test_a_date_that_concerns_her_is_told(chain: Chain, promise: Event, kind: str | None) -> None:
    chain.story(*OUT)
    assert chain.tell(promise) == kind


def test_a_date_that_moves_is_told_with_the_one_that_she_has_heard(chain: Chain) -> None:
    chain.story(*OUT)
    assert chain.tell(promised(FRIDAY)) == "promise"
    later = moved(NEXT_WEEK, NOON + DAY)
    plan = chain.given(later).plan_for(later)
    assert plan is not None
    assert plan.news.promised == Promised(NEXT_WEEK, FRIDAY, "repair", "repaired", "no bench is free")


def test_a_date_that_moves_is_hers_if_it_was_when_it_was_made(chain: Chain) -> None:
    chain.story(*OUT)
    made = promised(FRIDAY, kind=None, who=IMPORTER, to="customer")
    other = fact("promise.made", IMPORTER, NOON, promise="p2", by_when=FRIDAY.isoformat(), what="call", to=SHOP)
    assert tell(chain, made, other) == ["promise", None]
    assert chain.tell(moved(NEXT_WEEK, NOON + HOUR, IMPORTER)) == "promise"


def test_a_date_that_she_has_not_heard_is_not_said_to_have_moved(chain: Chain) -> None:
    chain.story(*OUT)
    waiting = chain.given(promised(FRIDAY)).planned(promised(FRIDAY))
    later = moved(NEXT_WEEK, NOON + timedelta(minutes=5))
    plan = chain.given(later).plan_for(later)
    assert chain.verdict_on(waiting) == Suppress("overtaken")
    assert plan is not None
    assert plan.news.promised is not None
    assert plan.news.promised.before is None


def test_the_same_date_again_is_no_news_and_takes_nothing_from_the_first(chain: Chain) -> None:
    chain.story(*OUT)
    first, again = promised(FRIDAY), promised(FRIDAY, NOON + HOUR, promise="p9")
    waiting = chain.given(first).planned(first)
    chain.given(again)
    assert chain.plan_for(again) is None
    assert chain.verdict_on(waiting) == Send()


def test_a_date_that_moved_and_moved_back_is_told(chain: Chain) -> None:
    chain.story(*OUT)
    story = [promised(FRIDAY), moved(NEXT_WEEK, NOON + HOUR), moved(FRIDAY, NOON + 2 * HOUR)]
    assert tell(chain, *story) == ["promise", "promise", "promise"]


@pytest.mark.parametrize(
    ("then", "verdict"),
    [
        (fact("repair.completed", REPAIRER, NOON + HOUR), Suppress("overtaken")),
        (fact("repair.failed", REPAIRER, NOON + HOUR, why="x"), Suppress("overtaken")),
        (fact("diagnosis.made", REPAIRER, NOON + HOUR, summary="crown"), Send()),
        (closed(NOON + HOUR), Suppress("closed")),
        (fact("order.reopened", SHOP, NOON + HOUR), Suppress("overtaken")),  # that was of the round before
    ],
)
def test_a_promise_that_is_kept_or_void_when_its_message_leaves_is_not_told(
    chain: Chain, then: Event, verdict: Send | Suppress
) -> None:
    chain.story(*OUT)
    waiting = chain.given(promised(FRIDAY)).planned(promised(FRIDAY))
    chain.given(then)
    assert chain.verdict_on(waiting) == verdict


def test_a_promise_of_no_kind_is_kept_by_the_next_step_of_whoever_made_it(chain: Chain) -> None:
    chain.story(*OUT)
    plain = promised(FRIDAY, kind=None)
    waiting = chain.given(plain).planned(plain)
    chain.given(fact("diagnosis.made", SHOP, NOON + HOUR, summary="crown"))
    assert chain.verdict_on(waiting) == Send()
    chain.given(fact("diagnosis.made", REPAIRER, NOON + HOUR, summary="crown"))
    assert chain.verdict_on(waiting) == Suppress("overtaken")


def test_a_date_that_has_passed_while_its_message_waited_is_not_told(chain: Chain) -> None:
    chain.story(*OUT)
    waiting = chain.given(promised(FRIDAY)).planned(promised(FRIDAY))
    assert chain.verdict_on(waiting, FRIDAY - timedelta(seconds=1)) == Send()
    assert chain.verdict_on(waiting, FRIDAY) == Suppress("overtaken")


def test_neither_a_milestone_nor_a_date_gives_way_to_the_other(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER)
    arrival = chain.given(AT_REPAIRER).planned(AT_REPAIRER)
    date = promised(FRIDAY, AT_REPAIRER.time + timedelta(minutes=2))
    message = chain.given(date).planned(date)
    assert chain.verdict_on(arrival) == chain.verdict_on(message) == Send()


# -- visits -----------------------------------------------------------------------------------------------------------


def test_a_window_is_told_and_so_is_another_one(chain: Chain) -> None:
    chain.story(*OUT)
    assert tell(chain, visit(FRIDAY), visit(FRIDAY, NOON + HOUR)) == ["visit", None]
    other = visit(NEXT_WEEK, NOON + DAY, what="a look at it")
    plan = chain.given(other).plan_for(other)
    assert plan is not None
    assert plan.news.visit == Visit(NEXT_WEEK, NEXT_WEEK + 2 * HOUR, "a look at it", FRIDAY)


@pytest.mark.parametrize(
    ("then", "verdict"),
    [
        (fact("visit.done", REPAIRER, NOON + HOUR, visit="v1"), Suppress("overtaken")),
        (fact("visit.done", REPAIRER, NOON + HOUR, visit="v2"), Send()),
        (fact("repair.completed", REPAIRER, NOON + HOUR), Suppress("overtaken")),
        (fact("repair.completed", SHOP, NOON + HOUR), Send()),
        (visit(NEXT_WEEK, NOON + HOUR), Suppress("overtaken")),
        (closed(NOON + HOUR), Suppress("closed")),
    ],
)
def test_a_visit_that_was_made_or_moved_when_its_message_leaves_is_not_told(
    chain: Chain, then: Event, verdict: Send | Suppress
) -> None:
    chain.story(*OUT)
    waiting = chain.given(visit(FRIDAY)).planned(visit(FRIDAY))
    chain.given(then)
    assert chain.verdict_on(waiting) == verdict


def test_a_window_that_is_over_is_not_told(chain: Chain) -> None:
    chain.story(*OUT)
    assert chain.tell(visit(NOON - 2 * HOUR)) is None
    to_come = visit(FRIDAY, NOON + HOUR)
    waiting = chain.given(to_come).planned(to_come)
    assert chain.verdict_on(waiting, FRIDAY + HOUR) == Send()
    assert chain.verdict_on(waiting, FRIDAY + 2 * HOUR) == Suppress("overtaken")


# -- who pays ---------------------------------------------------------------------------------------------------------


def test_who_pays_is_told_with_the_cause_and_the_way_to_appeal(chain: Chain) -> None:
    chain.story(*OUT)
    plan = chain.given(decided()).plan_for(decided())
    assert plan is not None
    assert plan.news.cover == Cover("not_covered", "limescale", "write within a month")


def test_a_decision_is_told_once_and_another_one_anew(chain: Chain) -> None:
    chain.story(*OUT)
    again, other = decided(NOON + HOUR), decided(NOON + 2 * HOUR, decision="goodwill")
    assert tell(chain, decided(), again, other) == ["cover", None, "cover"]


def test_of_two_decisions_the_last_holds(chain: Chain) -> None:
    chain.story(*OUT)
    waiting = chain.given(decided()).planned(decided())
    chain.given(decided(NOON + HOUR, decision="covered"))
    assert chain.verdict_on(waiting) == Suppress("overtaken")


def test_who_pays_is_hers_to_know_after_the_close_too(chain: Chain) -> None:
    chain.story(*OUT)
    chain.tell(closed(NOON))
    assert chain.tell(decided(NOON + HOUR)) == "cover"


# -- beside what is late ----------------------------------------------------------------------------------------------


def test_news_that_was_promised_gives_way_to_one_of_these_that_waits(chain: Chain) -> None:
    chain.story(OPENED, asked())
    chain.given(answered(SHOP, NOON + HOUR)).planned(answered(SHOP, NOON + HOUR))
    (silence,) = chain.falls_overdue("update", MONDAY + 10 * DAY)
    assert chain.plan_for(silence) is None


def test_and_to_one_that_comes_right_behind_it_but_not_to_one_that_said_nothing_new(chain: Chain) -> None:
    chain.story(OPENED)
    (silence,) = chain.falls_overdue("update", MONDAY + 8 * DAY)
    chain.given(visit(MONDAY - DAY, MONDAY + 8 * DAY))
    assert kind_of(chain.plan_for(silence)) == "update"
    chain.given(decided(MONDAY + 8 * DAY))
    assert chain.plan_for(silence) is None


def test_a_visit_that_moved_is_not_late_any_more(chain: Chain) -> None:
    chain.story(*OUT, visit(FRIDAY))
    (late,) = chain.falls_overdue("visit", FRIDAY + 3 * HOUR)
    waiting = chain.planned(late)
    assert chain.verdict_on(waiting) == Send()
    chain.given(visit(NEXT_WEEK, FRIDAY + 4 * HOUR))
    assert chain.verdict_on(waiting) == Suppress("overtaken")


def test_that_her_answer_is_late_is_told_beside_a_milestone(chain: Chain) -> None:
    chain.story(OPENED, asked(at=MONDAY + HOUR), TO_IMPORTER)
    (late,) = chain.falls_overdue("answer", MONDAY + 3 * DAY)
    arrival = fact("item.received", IMPORTER, MONDAY + 3 * DAY)
    chain.given(arrival).planned(arrival)
    assert kind_of(chain.plan_for(late)) == "overdue"


def test_that_her_complaint_is_unanswered_is_called_what_it_is(chain: Chain) -> None:
    chain.story(*OUT)
    chain.tell(closed(NOON + HOUR))
    chain.given(fact("feedback.given", "customer:C-77", NOON + 2 * HOUR, holds="no", text="it stops"))
    (late,) = chain.falls_overdue("answer", NOON + 9 * DAY)
    assert body_of(chain.plan_for(late)).startswith("We are sorry: you told us that all is not well with your")
    assert body_of(chain.plan_for(late), "nl").startswith("Het spijt ons: u liet ons weten dat niet alles in orde is")


def test_that_her_answer_is_late_is_told_after_the_close(chain: Chain) -> None:
    chain.story(*OUT, asked())
    chain.tell(closed(NOON + HOUR))
    (late,) = chain.falls_overdue("answer", NOON + 3 * DAY)
    plan = chain.plan_for(late)
    assert kind_of(plan) == "overdue"
    assert plan is not None
    assert (plan.next_news_by, plan.news.late) == (None, "answer")
    message = chain.record(plan)
    assert chain.verdict_on(message) == Send()
    chain.given(answered(at=NOON + 3 * DAY + HOUR))
    assert chain.verdict_on(message) == Suppress("met")


def test_an_answer_that_parties_owe_each_other_is_not_told_after_the_close(chain: Chain) -> None:
    chain.story(*OUT, asked(to=REPAIRER))
    chain.tell(closed(NOON + HOUR))
    assert chain.falls_overdue("answer", NOON + 3 * DAY) == []


def test_what_she_owes_us_is_not_asked_for_after_the_close(chain: Chain) -> None:
    chain.story(*OUT, asked(REPAIRER, to="customer"))
    chain.tell(closed(NOON + HOUR))
    assert chain.falls_overdue("answer", NOON + 8 * DAY) == []


# -- what else it changes ---------------------------------------------------------------------------------------------


def test_what_was_told_for_itself_is_not_told_again_and_hides_nothing_of_the_rest(chain: Chain) -> None:
    chain.story(*OUT)
    chain.given(fact("diagnosis.made", REPAIRER, NOON, summary="crown"))
    assert tell(chain, decided(NOON + HOUR)) == ["cover"]
    (silence,) = chain.falls_overdue("update", MONDAY + 11 * DAY)
    plan = chain.plan_for(silence)
    assert plan is not None
    assert [step.name for step in plan.news.since] == ["diagnosis.made"]


def test_nothing_of_this_is_told_when_it_is_long_past(chain: Chain) -> None:
    chain.story(*OUT, asked())
    for event in (answered(), promised(NEXT_WEEK), visit(NEXT_WEEK), decided()):
        chain.given(event)
        assert chain.plan_for(event, event.time + 7 * DAY) is not None
        assert chain.plan_for(event, event.time + timedelta(days=7, seconds=1)) is None


def test_a_decision_that_was_another_one_says_that_it_was_looked_at_again(chain: Chain) -> None:
    chain.story(*OUT)
    assert "looked at again, and" not in body_of(chain.given(decided()).plan_for(decided()))
    assert chain.tell(decided(NOON + HOUR, id="first")) == "cover"
    again = decided(NOON + DAY, decision="covered")
    body = body_of(chain.given(again).plan_for(again))
    assert "Good news: the decision on the guarantee has been looked at again, and it covers the repair" in body
