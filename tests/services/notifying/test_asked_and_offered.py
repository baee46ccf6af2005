"""Her question is acknowledged, with the date of the answer, and what is offered to make up for something is told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from events.chain import MessageKind, MessageSent
from events.envelope import Event
from events.party import NOTIFIER
from services.contact import Contact
from services.notifying.decency import Manners, not_before, when_awake
from services.notifying.history import moment
from services.notifying.records import News, Question, Send, Suppress
from services.notifying.telling import Teller
from services.notifying.waiting import AgainLaterError, NotYetError
from services.notifying.wording import compose, together
from tests.services.notifying.chain import (
    DAY,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    ORDER,
    PATIENCE,
    REPAIRER,
    SHOP,
    Chain,
    body_of,
    closed,
    corrected,
    fact,
    kind_of,
    opened,
)
from tests.services.notifying.letters import CARDS, NEWS, NOW, planned, problems
from tests.services.notifying.post import ANNA, extra, teller

#: In the welcome.
PROMISED = datetime(2026, 11, 9, 16, 0, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NIGHTS = Manners(AMSTERDAM, (time(21), time(8)))
HER = "customer:C-77"
QUOTE_NOW = fact("quote.offered", SHOP, MONDAY + HOUR, quote="q1", amount="85.00", currency="EUR")


def asks(
    at: datetime = MONDAY + HOUR, by: str = HER, id: str = "", text: str = "Is it waterproof?", **to: Any
) -> Event:
    return fact("question.asked", by, at, id, question="q1", text=text, **({"to": SHOP} | to))


def answers(at: datetime) -> Event:
    return fact("question.answered", SHOP, at, question="q1", text="It is")


def offers(at: datetime = MONDAY + HOUR, what: str = "a new strap", id: str = "") -> Event:
    return fact("gesture.offered", SHOP, at, id, gesture="g1", what=what)


# -- her question -----------------------------------------------------------------------------------------------------


def test_that_her_question_has_come_she_hears_with_the_date_of_the_answer(chain: Chain) -> None:
    chain.story(OPENED)
    plan = chain.given(asks()).plan_for(asks())
    assert kind_of(plan) == "asked"
    body = body_of(plan)
    assert "You will have our answer by Wednesday 4 November; you need not ask again." in body
    assert "You asked: “Is it waterproof?”" in body
    assert "You will hear from us again by Monday 9 November at 17:00" in body
    assert "U krijgt uiterlijk woensdag 4 november antwoord" in body_of(plan, "nl")


@pytest.mark.parametrize(("days", "kept"), [(3, True), (7, True), (8, False)])
def test_that_she_asks_puts_off_no_news_that_she_was_promised(chain: Chain, days: int, kept: bool) -> None:
    chain.story(OPENED)
    for each in (asks(MONDAY + days * DAY), offers(MONDAY + days * DAY)):
        plan = chain.given(each).plan_for(each)
        assert plan is not None
        assert (plan.next_news_by == PROMISED) is kept


async def test_she_hears_at_once(chain: Chain) -> None:
    chain.story(OPENED)
    await teller(chain.given(asks())).handle(asks())
    assert [event.data["kind"] for event in chain.named("message.sent")] == ["opened", "asked"]


@pytest.mark.parametrize(
    "question",
    [asks(by=IMPORTER, to=REPAIRER), asks(by=IMPORTER), asks(by=SHOP, to=REPAIRER)],
)
def test_what_parties_ask_each_other_is_not_acknowledged(chain: Chain, question: Event) -> None:
    chain.story(OPENED)
    assert chain.tell(question) is None


def test_a_question_that_is_answered_needs_no_acknowledgement(chain: Chain) -> None:
    chain.story(OPENED)
    waiting = chain.given(asks()).planned(asks())
    chain.given(answers(MONDAY + HOUR + HOUR / 60))
    assert chain.verdict_on(waiting) == Suppress("overtaken")
    assert kind_of(chain.plan_for(chain.events[-1])) == "answer"


def test_said_again_it_is_acknowledged_once(chain: Chain) -> None:
    chain.story(OPENED)
    assert chain.tell(asks()) == "asked"
    assert chain.tell(asks(MONDAY + 2 * HOUR, id="again", text="Is it  waterproof?")) is None


def test_asked_once_more_after_the_answer_it_is_another_question(chain: Chain) -> None:
    chain.story(OPENED)
    said = [asks(), answers(MONDAY + 2 * HOUR), asks(MONDAY + DAY, id="again"), answers(MONDAY + DAY + HOUR)]
    assert [chain.tell(each) for each in said] == ["asked", "answer"] * 2


def test_an_answer_that_came_before_its_question_is_told_when_that_comes(chain: Chain) -> None:
    chain.story(OPENED)
    assert chain.tell(answers(MONDAY + 2 * HOUR)) is None  # nobody knows yet whose question it was
    late = fact("question.asked", HER, MONDAY + HOUR, "late", MONDAY + 3 * HOUR, question="q1", text="Is it?", to=SHOP)
    assert chain.tell(late) == "answer"
    assert chain.plan_for(late) is None


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("sent", "told"), [(False, "answer"), (True, None)])
def test_of_two_equal_answers_one_is_taken_back(chain: Chain, late: bool, sent: bool, told: str | None) -> None:
    """The other still says so: she has it to read, and need not hear that it was not right."""
    first, other = (answers(MONDAY + hour * HOUR) for hour in (2, 3))
    question = fact("question.asked", HER, MONDAY + HOUR, "q", MONDAY + 4 * HOUR, question="q1", text="Is it?", to=SHOP)
    chain.story(OPENED)
    chain.given(*((first, other, question) if late else (question, first)))
    message = chain.planned(question if late else first)
    if sent:
        chain.sent(message)
    if not late:
        assert chain.tell(other) is None
    wrong = corrected(first, MONDAY + 5 * HOUR)
    plan = chain.given(wrong).plan_for(wrong)
    assert kind_of(plan) == told
    if plan is not None:
        assert "Our answer: “It is”." in body_of(plan)
        assert "not right" not in body_of(plan)
        assert chain.verdict_on(message) == Suppress("corrected")
        chain.sent(chain.record(plan))
    assert chain.plan_for(other) is None  # should the log be read once more
    assert chain.tell(corrected(other, MONDAY + 6 * HOUR)) == "corrected"
    assert chain.tell(answers(MONDAY + 7 * HOUR)) == "answer"


def test_the_letter_that_it_goes_on_says_it_too(chain: Chain) -> None:
    """Her question about what was closed opens it again: one letter, not two."""
    chain.story(OPENED, closed(MONDAY + HOUR))
    again = fact("order.reopened", HER, MONDAY + DAY, reason="the customer got in touch")
    question = asks(MONDAY + DAY)
    chain.given(again, question)
    plan = chain.plan_for(again)
    assert "We have your question, too, and you will have our answer by Thursday 5 November." in body_of(plan)
    assert "Uw vraag hebben we ook ontvangen; u krijgt uiterlijk donderdag 5 november antwoord." in body_of(plan, "nl")
    chain.told(again)
    assert chain.plan_for(question) is None
    (late,) = chain.falls_overdue("update", MONDAY + 10 * DAY)
    assert "We have not forgotten that we owe you an answer" in body_of(chain.plan_for(late))


def read_so_many(chain: Chain, kinds: Sequence[MessageKind]) -> None:
    """On that Monday she has got a letter of each of these kinds, and the welcome."""
    chain.story(OPENED)
    for number, kind in enumerate(kinds):
        data = MessageSent(message=f"m{number}", kind=kind, channel="email", language="en", subject="…", body="…")
        chain.given(
            fact("message.sent", NOTIFIER, MONDAY + HOUR / 2, f"m{number}", **data.model_dump(exclude_none=True))
        )


@pytest.mark.parametrize(
    ("before", "waits"), [(["answer"] * 9, False), (["asked"] * 3 + ["answer"] * 9, False), (["asked"] * 4, True)]
)
async def test_it_is_no_part_of_the_letters_of_her_day(chain: Chain, before: list[MessageKind], waits: bool) -> None:
    """But a machine that answers our letters gets so many a day and no more."""
    read_so_many(chain, before)
    with pytest.raises(AgainLaterError) if waits else nullcontext():
        await teller(chain.given(asks())).handle(asks())
    assert [event.data["kind"] for event in chain.named("message.sent")][1:] == before + ["asked"] * (not waits)


@pytest.mark.parametrize(
    ("before", "waits"), [(["asked"] * 4 + ["answer"] * 2, False), (["asked"] * 4 + ["answer"] * 3, True)]
)
async def test_it_leaves_room_for_four_others(chain: Chain, before: list[MessageKind], waits: bool) -> None:
    read_so_many(chain, before)
    with pytest.raises(AgainLaterError) if waits else nullcontext():
        await teller(chain.given(QUOTE_NOW)).handle(QUOTE_NOW)


def test_a_letter_that_crossed_her_question_says_nothing_of_it(chain: Chain) -> None:
    chain.story(OPENED, closed(MONDAY + HOUR))
    again = fact("order.reopened", SHOP, MONDAY + DAY)
    plan = chain.given(again).plan_for(again)
    assert plan is not None
    question = asks(MONDAY + DAY + HOUR / 3600)  # it came in before the plan did
    chain.given(question).sent(chain.record(plan))
    assert kind_of(chain.plan_for(question)) == "asked"


def test_after_the_end_she_hears_by_when_and_nothing_more_is_promised(chain: Chain) -> None:
    chain.story(OPENED, closed(MONDAY + HOUR, "cancelled"))
    plan = chain.given(asks(MONDAY + DAY)).plan_for(asks(MONDAY + DAY))
    assert plan is not None
    assert (plan.kind, plan.next_news_by) == ("asked", None)
    assert "After that you will hear from us only if something changes." in body_of(plan)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("due", "named"), [("02 20:30", "02 20:30"), ("02 22:00", "03 09:00"), ("03 03:00", "03 09:00")]
)
def test_no_answer_is_named_for_the_night(due: str, named: str) -> None:
    assert when_awake(at(due), NIGHTS) == at(named)
    assert when_awake(at(due), Manners(AMSTERDAM)) == at(due)


async def test_an_urgent_question_late_in_the_evening_is_acknowledged_with_the_morning(chain: Chain) -> None:
    order, evening = opened(urgency="urgent"), MONDAY.replace(hour=19)
    chain.given(order)
    chain.told(order)
    await teller(chain.given(asks(evening))).handle(asks(evening))
    sent = chain.named("message.sent")[-1]
    # In two hours it would be ten.
    assert "You will have our answer by Tuesday 3 November at 09:00" in sent.data["body"]


@pytest.mark.parametrize(
    ("hour", "late"), [(8, ""), (12, "you should have had this answer by Tuesday 3 November at 09:00")]
)
async def test_the_answer_is_late_by_the_moment_that_she_was_told(chain: Chain, hour: int, late: str) -> None:
    order, evening, given = opened(urgency="urgent"), MONDAY.replace(hour=19), (MONDAY + DAY).replace(hour=hour - 1)
    chain.given(order)
    chain.told(order)
    chain.given(asks(evening))
    chain.told(asks(evening))
    await teller(chain.given(answers(given))).handle(answers(given))
    body = chain.named("message.sent")[-1].data["body"]
    assert ("We are sorry that you had to wait" in body) is bool(late)
    assert late in body


async def test_that_it_is_late_she_hears_no_sooner_and_news_that_was_promised_before_does_not_wait(
    chain: Chain,
) -> None:
    """At eight she was told that an answer was late which she had been promised by nine."""
    order, evening, eight = opened(urgency="urgent"), MONDAY.replace(hour=19), (MONDAY + DAY).replace(hour=7)
    chain.given(order)
    chain.told(order)
    chain.given(asks(evening))
    chain.told(asks(evening), named=eight + HOUR / 2)
    (late,) = chain.falls_overdue("answer", evening + 3 * HOUR)
    chain.clock.set(eight)
    with pytest.raises(NotYetError) as again:
        await teller(chain).handle(late)
    assert again.value.delay == HOUR.total_seconds()
    (silence,) = chain.falls_overdue("update", eight)
    await teller(chain).handle(silence)
    news = chain.named("message.sent")[-1].data
    assert news["kind"] == "update"
    assert "you will get it by Tuesday 3 November at 09:00" in news["body"]
    chain.clock.set(eight + HOUR)
    await teller(chain).handle(late)
    assert [sent.data["kind"] for sent in chain.named("message.sent")][-2:] == ["update", "overdue"]


# -- what is offered --------------------------------------------------------------------------------------------------


def test_she_reads_what_is_offered_once(chain: Chain) -> None:
    chain.story(OPENED)
    plan = chain.given(offers()).plan_for(offers())
    assert kind_of(plan) == "gesture"
    assert "we would like to offer you this: “a new strap”." in body_of(plan)
    assert "bieden we u graag dit aan: “a new strap”." in body_of(plan, "nl")
    assert plan is not None
    assert plan.next_news_by is not None
    chain.told(offers())
    assert chain.tell(offers(MONDAY + 2 * HOUR, id="again")) is None
    assert chain.tell(offers(MONDAY + 3 * HOUR, "a new strap and a card", id="more")) == "gesture"


async def test_what_is_offered_makes_no_bad_news_of_a_letter(chain: Chain) -> None:
    chain.story(OPENED)
    gift, answer = offers(MONDAY + 2 * HOUR), answers(MONDAY + 3 * HOUR)
    letter = chain.given(gift).plan_for(gift)
    chain.given(asks(), answer)
    body = together([body_of(letter)], body_of(chain.plan_for(answer)), "en")
    assert body.startswith("We have more than one thing to tell you.")


def test_after_the_end_it_is_told_too(chain: Chain) -> None:
    chain.story(OPENED, closed(MONDAY + HOUR))
    plan = chain.given(offers(MONDAY + DAY)).plan_for(offers(MONDAY + DAY))
    assert plan is not None
    assert (plan.kind, plan.next_news_by) == ("gesture", None)
    assert chain.verdict_on(chain.record(plan)) == Send()


def test_what_she_was_given_already_is_not_offered(chain: Chain) -> None:
    chain.story(OPENED)
    waiting = chain.given(offers()).planned(offers())
    chain.given(fact("gesture.given", SHOP, MONDAY + 2 * HOUR, gesture="g1"))
    assert chain.verdict_on(waiting) == Suppress("overtaken")


def test_what_is_offered_after_that_by_the_same_name_is_something_else(chain: Chain) -> None:
    chain.story(OPENED)
    assert chain.tell(offers()) == "gesture"
    chain.given(fact("gesture.given", SHOP, MONDAY + 2 * HOUR, gesture="g1"))
    assert chain.tell(offers(MONDAY + 3 * HOUR, "a card")) == "gesture"


def test_nobody_is_woken_for_it() -> None:
    night = at("02 23:00")
    assert not_before(NIGHTS, night, kind="gesture", happened=night, urgency="urgent", letters=0) == at("03 08:00")


async def on_a_full_day(chain: Chain, trigger: Event, contact: Contact = ANNA) -> tuple[Teller, str]:
    """What comes of ``trigger`` on the day for which news was promised, when she has had all her letters; the next
    morning."""
    welcome, evening = chain.given(OPENED).told(OPENED), PROMISED - 2 * HOUR
    for number in range(4):
        chain.sent(extra(chain, welcome, f"msg-{number}"), evening - HOUR)
    at_work = teller(chain, contact)
    with pytest.raises(AgainLaterError) as later:
        await at_work.handle(chain.given(trigger).events[-1])
    chain.clock.set(chain.clock.now() + timedelta(seconds=later.value.delay))
    return at_work, later.value.message


async def test_what_waited_until_after_its_date_is_written_anew(chain: Chain) -> None:
    at_work, waiting = await on_a_full_day(chain, offers(PROMISED - 2 * HOUR))
    await at_work.deliver(ORDER, waiting)
    assert [event.data["message"] for event in chain.named("message.suppressed")] == [waiting]
    anew = chain.named("message.planned")[-1]
    chain.clock.set(chain.clock.now() + PATIENCE)
    await at_work.handle(anew)
    (sent,) = [event for event in chain.named("message.sent") if event.data["kind"] == "gesture"]
    assert "a new strap" in sent.data["body"]
    assert "You should have had a message from us by Monday 9 November at 17:00" in sent.data["body"]
    assert moment(sent.data["next_news_by"]) > chain.clock.now()
    # Said again it is the same offer.
    assert chain.tell(offers(chain.clock.now() + HOUR, id="again")) is None


def test_while_its_date_is_to_come_what_waits_is_not_written_twice(chain: Chain) -> None:
    chain.story(OPENED)
    waiting = chain.given(offers()).planned(offers())
    assert waiting.planned.next_news_by is not None
    assert chain.plan_for(offers()) is None


@pytest.mark.parametrize(
    ("language", "sorry", "replaces"),
    [
        ("en", "You should have had a message from us by Monday 9 November at 17:00; we are sorry", "takes the place"),
        ("nl", "U had uiterlijk maandag 9 november om 17.00 uur een bericht van ons moeten hebben", "in de plaats"),
    ],
)
async def test_what_she_reads_after_the_date_that_was_named_says_sorry(
    chain: Chain, language: str, sorry: str, replaces: str
) -> None:
    by_when = (PROMISED + 10 * DAY).isoformat()
    promise = fact("promise.made", SHOP, PROMISED - 2 * HOUR, promise="p1", kind="repair", what="a", by_when=by_when)
    at_work, waiting = await on_a_full_day(chain, promise, ANNA.model_copy(update={"language": language}))
    chain.clock.set(chain.clock.now() + PATIENCE)
    await at_work.deliver(ORDER, waiting)
    (sent,) = [event for event in chain.named("message.sent") if event.data["kind"] == "promise"]
    assert sorry in sent.data["body"]
    assert replaces not in sent.data["body"]


@pytest.mark.parametrize(
    "over",
    [
        fact("gesture.given", SHOP, PROMISED, gesture="g1"),
        corrected(offers(PROMISED - 2 * HOUR), PROMISED),
        fact("gesture.offered", SHOP, PROMISED, "other", gesture="g1", what="a card"),
    ],
)
async def test_what_was_given_or_withdrawn_meanwhile_is_not(chain: Chain, over: Event) -> None:
    at_work, waiting = await on_a_full_day(chain, offers(PROMISED - 2 * HOUR))
    planned_before = len(chain.given(over).named("message.planned"))
    await at_work.deliver(ORDER, waiting)
    assert [event.data["message"] for event in chain.named("message.suppressed")] == [waiting]
    assert len(chain.named("message.planned")) == planned_before


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize(
    ("kind", "news"),
    [
        ("asked", replace(NEWS, answer_owed=True, question=Question("Does Atelier Tick have it?", NOW + DAY))),
        ("asked", replace(NEWS, answer_owed=True, question=Question(None, None))),
        ("gesture", replace(NEWS, gesture="a voucher of the importer")),
        ("gesture", replace(NEWS, gesture="a card")),
    ],
)
def test_they_lack_nothing_and_name_nobody(kind: MessageKind, news: News, language: str) -> None:
    plan = planned(kind, news)
    assert problems(compose(plan, CARDS, language), plan) == []
