"""Given the facts of one order, what its customer would have been told, and when. Nothing else is needed to say so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.calendar import ALWAYS, Calendar
from projections.clock import Clock, micros_of
from services.backtest.milestones import Fact, Message, Story
from services.backtest.predict import Late, NewsRule, TooManyMessagesError, gaps, predict
from services.notifying.history import Happened, History
from services.notifying.newsworthy import milestone

SHOP, IMPORTER, BENCH = "retailer:juno", "importer:noord", "repairer:tick"
MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)  # 11:00 in Amsterdam
HOUR, DAY = 3_600_000_000, 24 * 3_600_000_000
#: Five working days of eight hours.
NEWS = NewsRule(Clock.of(Calendar()), 40 * HOUR)
NO_NEWS = NewsRule(Clock.of(ALWAYS), 10_000 * DAY)


def at(hours: float) -> int:
    """So many hours after Monday."""
    return micros_of(MONDAY) + int(hours * HOUR)


def fact(hours: float, name: str, source: str = SHOP, **said: Any) -> Fact:
    return Fact(at(hours), name, source, **said)


def story(*facts: Fact, until: float = 0) -> Story:
    return Story(facts, SHOP, SHOP, max(at(until), facts[-1].at))


def told(facts: Story, late: list[Late] | None = None, news: NewsRule = NO_NEWS) -> list[tuple[float, str, str]]:
    """(hours after Monday, kind, cause) of each message."""
    messages = predict(facts, late or [], news)
    return [((message.at - at(0)) / HOUR, message.kind, message.cause) for message in messages]


OPENED = fact(0, "order.opened")


def test_a_repair_that_goes_well() -> None:
    facts = story(
        OPENED,
        fact(1, "item.handed_over", to=BENCH),
        fact(24, "item.received", BENCH),
        fact(30, "quote.offered", BENCH),
        fact(50, "quote.accepted", BENCH),
        fact(60, "repair.completed", BENCH),
        fact(61, "item.handed_over", BENCH, to=SHOP),
        fact(80, "item.received", SHOP),
        fact(90, "order.closed", SHOP, word="repaired"),
    )
    assert told(facts) == [
        (0, "opened", "order.opened"),
        (24, "received", "item.received"),
        (30, "quote", "quote.offered"),
        (60, "repaired", "repair.completed"),
        (80, "ready", "item.received"),  # and so the close says nothing new
    ]


def test_a_close_that_she_has_not_heard_of_is_told() -> None:
    facts = story(OPENED, fact(5, "repair.completed", BENCH), fact(9, "order.closed", word="unrepairable"))
    assert told(facts)[-1] == (9, "closed", "order.closed")


def test_nothing_is_said_after_the_close() -> None:
    facts = story(
        OPENED,
        fact(9, "order.closed", word="repaired"),
        fact(10, "item.received", BENCH),
        fact(11, "order.closed", word="repaired"),
        until=3_000,
    )
    late = [Late(at(20), "receive")]
    assert [each[0] for each in told(facts, late, NEWS)] == [0, 9]


def test_reopened_it_begins_anew() -> None:
    facts = story(
        OPENED,
        fact(9, "order.closed", word="repaired"),
        fact(100, "order.reopened"),
        fact(120, "order.closed", word="repaired"),
    )
    assert facts.open_spans() == [(at(0), at(9)), (at(100), at(120))]
    assert [each[:2] for each in told(facts)] == [(0, "opened"), (9, "closed"), (100, "reopened"), (120, "closed")]


def test_of_what_comes_at_one_moment_the_last_speaks() -> None:
    facts = story(
        OPENED, fact(9, "order.closed", word="repaired"), fact(50, "order.reopened"), fact(50, "item.received", BENCH)
    )
    assert told(facts)[-1] == (50, "received", "item.received")


def test_but_progress_does_not_drown_a_question() -> None:
    facts = story(OPENED, fact(5, "work.paused", word="customer"), fact(5, "item.received", BENCH))
    assert told(facts)[-1] == (5, "question", "work.paused")


@pytest.mark.parametrize("to", ["customer", "customer:C-7"])
def test_a_question_to_her_and_not_to_others(to: str) -> None:
    facts = story(
        OPENED,
        fact(5, "question.asked", BENCH, to=to, topic="q1"),
        fact(6, "question.asked", BENCH, to=SHOP, topic="q2"),
        fact(7, "work.paused", BENCH, word="customer"),  # the question says that already
        fact(8, "work.paused", BENCH, word="part"),
    )
    assert [each[:2] for each in told(facts)] == [(0, "opened"), (5, "question")]


def test_a_pause_said_again_is_no_other_pause() -> None:
    facts = story(
        OPENED,
        fact(5, "work.paused", word="customer"),
        fact(6, "work.paused", word="customer"),
        fact(7, "work.resumed"),
        fact(8, "work.paused", word="customer"),
    )
    assert [each[0] for each in told(facts)] == [0, 5, 8]


def test_what_is_late_is_told_at_once_and_once_for_a_moment() -> None:
    facts = story(OPENED, fact(30, "item.received", BENCH), until=100)
    late = [Late(at(10), "receive"), Late(at(10), "answer"), Late(at(30), "forward"), Late(at(40), "diagnose")]
    assert told(facts, late)[1:] == [
        (10, "overdue", "receive"),
        (30, "received", "item.received"),  # a milestone says more
        (40, "overdue", "diagnose"),
    ]


def test_silence_is_broken_in_the_opening_time_of_the_party_that_answers_to_her() -> None:
    facts = story(OPENED, until=24 * 15)
    # Monday 11:00 and forty working hours are Monday 11:00 a week later, and again.
    assert told(facts, news=NEWS) == [
        (0, "opened", "order.opened"),
        (168, "update", "update"),
        (336, "update", "update"),
    ]


def test_every_news_puts_the_update_off() -> None:
    facts = story(OPENED, fact(24, "item.received", BENCH), until=24 * 10)
    assert [each[0] for each in told(facts, news=NEWS)] == [0, 24, 24 + 168]


def test_so_does_a_call_that_the_log_tells_of() -> None:
    called = fact(48, "customer.contacted", word="outbound")
    she_called = fact(72, "customer.contacted", word="inbound")
    facts = story(OPENED, called, she_called, until=24 * 10)
    assert [each[0] for each in told(facts, news=NEWS)] == [0, 48 + 168]


def test_an_update_that_falls_due_with_the_close_is_the_close() -> None:
    facts = story(OPENED, fact(168, "order.closed", word="repaired"))
    assert [each[:2] for each in told(facts, news=NEWS)] == [(0, "opened"), (168, "closed")]


def test_news_that_is_due_at_the_closing_does_not_wait_for_the_night() -> None:
    news = NewsRule(NEWS.clock, 6 * HOUR)  # Monday 11:00 to 17:00
    facts = story(OPENED, fact(11, "order.closed", word="repaired"))  # Monday 22:00
    assert [each[:2] for each in told(facts, news=news)] == [(0, "opened"), (6, "update"), (11, "closed")]


def test_a_policy_that_would_never_stop_talking_is_refused() -> None:
    with pytest.raises(TooManyMessagesError):
        predict(story(OPENED, until=24 * 3_000), [], NewsRule(NO_NEWS.clock, 60_000_000))


def test_silence_is_counted_while_the_order_is_open() -> None:
    spans = [(0, 10), (50, 90)]
    assert gaps(spans, [60, 20, 3, 3]) == [3, 0, 7, 10, 30]
    assert gaps(spans, []) == [10, 40]


PARTIES = st.sampled_from([SHOP, IMPORTER, BENCH])
NAMES = (
    "order.opened",
    "order.closed",
    "order.reopened",
    "item.handed_over",
    "item.received",
    "quote.offered",
    "quote.accepted",
    "quote.declined",
    "repair.started",
    "repair.completed",
    "repair.failed",
    "work.paused",
    "work.resumed",
    "question.asked",
    "question.answered",
    "customer.contacted",
)
WORDS = {
    "order.closed": st.sampled_from(["repaired", "declined", "unrepairable"]),
    "work.paused": st.sampled_from(["customer", "part", "other"]),
    "customer.contacted": st.sampled_from(["inbound", "outbound"]),
}


@st.composite
def any_facts(draw: st.DrawFn, apart: bool = False) -> list[Fact]:
    """Facts of an order, in the order in which they happened; ``apart``: no two at the same moment."""
    names = draw(st.lists(st.sampled_from(NAMES[1:]), max_size=14))
    hours = 0.0
    facts = [OPENED]
    for name in names:
        hours += draw(st.sampled_from([0.25, 3, 20, 90, 400] if apart else [0, 0.25, 3, 20, 90, 400, 2_000]))
        word = draw(WORDS[name]) if name in WORDS else None
        to = "customer" if name == "question.asked" else draw(PARTIES) if name == "item.handed_over" else None
        topic = draw(st.sampled_from(["a", "b"])) if name.startswith("question") else None
        facts.append(fact(hours, name, draw(PARTIES), word=word, to=to, topic=topic))
    return facts


RULES = st.builds(
    NewsRule,
    st.sampled_from(
        [Clock.of(ALWAYS), Clock.of(Calendar()), Clock.of(Calendar(holidays="NL", time_zone="Asia/Tokyo"))]
    ),
    st.sampled_from([HOUR, 8 * HOUR, 40 * HOUR, 100 * HOUR]),
)


@settings(max_examples=300, deadline=None)
@given(any_facts(), RULES, st.lists(st.integers(0, 4_000), max_size=5), st.integers(0, 5_000))
def test_no_open_order_goes_without_news_for_longer_than_the_rule(
    facts: list[Fact], news: NewsRule, late: list[int], until: int
) -> None:
    whole = story(*facts, until=until)
    messages = predict(whole, [Late(at(hours), "receive") for hours in sorted(late)], news)
    heard = sorted([*whole.contacts(), *(message.at for message in messages)])
    for begin, end in whole.open_spans():
        moments = [begin, *(each for each in heard if begin <= each <= end), end]
        waits = [int(news.clock.between(*pair)) for pair in pairwise(moments)]
        assert max(waits) <= news.allowed
    assert len({message.at for message in messages}) == len(messages)
    spans = whole.open_spans()
    assert all(any(begin <= message.at <= end for begin, end in spans) for message in messages)


@settings(max_examples=300, deadline=None)
@given(any_facts(apart=True))
def test_the_notifier_takes_the_same_facts_for_milestones(facts: list[Fact]) -> None:
    """Fact by fact, whatever newsworthy.py lets speak the moment it happens, while the order is open, is predicted."""
    predicted = {message.at: message.kind for message in story(*facts).milestones()}
    for count in range(1, len(facts) + 1):
        history = _history(facts[:count])
        if not history.open or history.facts[-1].name == "order.opened":
            continue
        now = history.facts[-1]
        speaking = milestone(history, now.at)
        found = speaking.kind if speaking is not None and speaking.fact == now else None
        assert predicted.get(facts[count - 1].at) == found, facts[:count]


def _history(facts: list[Fact]) -> History:
    """What the notifier would read of the order; nothing was told yet."""
    happened = tuple(_happened(number, each) for number, each in enumerate(facts, 1))
    turns = [each.name for each in facts if each.name in ("order.opened", "order.closed", "order.reopened")]
    waits = facts[-1].name == "work.paused" and facts[-1].word == "customer"
    return History(
        order="W-1",
        open=turns[-1] != "order.closed",
        status="waiting_for_customer" if waits else "received",
        holder=SHOP,
        accountable=SHOP,
        opener=SHOP,
        customer="C-7",
        facts=happened,
    )


def _happened(number: int, each: Fact) -> Happened:
    data: dict[str, Any] = {"to": each.to, "question": each.topic, "waiting_for": each.word, "outcome": each.word}
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=each.at)
    return Happened(
        number, when, each.source, str(number), each.name, {key: value for key, value in data.items() if value}
    )


def test_messages_are_in_order() -> None:
    messages = predict(story(OPENED, until=24 * 40), [Late(at(500), "receive")], NEWS)
    assert messages == sorted(messages, key=lambda message: message.at)
    assert all(isinstance(message, Message) for message in messages)
