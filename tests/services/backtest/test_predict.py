"""Given the facts of one order, what its customer would have been told, and when. Nothing else is needed to say so."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.book import Book, Terms
from projections.clock import WorkClock, micros_of, moment_of
from projections.policy import Policy
from services.backtest.predict import TooManyMessagesError, predict
from services.backtest.records import Fact, Late, Message, Story, gaps
from services.notifying.decency import Manners
from tests.sampling import examples

SHOP, IMPORTER, BENCH = "retailer:juno", "importer:noord", "repairer:tick"
HER = "customer:C-7"
MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)  # 11:00 in Amsterdam
HOUR, DAY = 3_600_000_000, 24 * 3_600_000_000
STATUSES = {
    "order.opened": "taken_in",
    "item.handed_over": "in_transit",
    "item.received": "received",
    "quote.offered": "waiting_for_approval",
    "repair.started": "in_repair",
    "repair.completed": "repaired",
    "item.returned": "returned",
    "order.reopened": "reopened",
}
AT_ANY_HOUR = Manners()


def rule(text: str = "", urgency: str = "routine") -> Terms:
    """The rule for news to her, by a policy that says ``text``."""
    return Book([(0, Policy.parse(text))], {}).terms(-1, "update", SHOP, None, None, urgency)


#: Five working days of eight hours; and, for when it does not matter, some years.
NEWS = rule()
NO_NEWS = rule('[allow]\nupdate = "3000 days"')


def at(hours: float) -> int:
    """So many hours after Monday."""
    return micros_of(MONDAY) + int(hours * HOUR)


def fact(hours: float, name: str, source: str = SHOP, **data: Any) -> Fact:
    return Fact(at(hours), name, source, f"{name}@{hours}@{source}", data)


def story(*facts: Fact, until: float = 0, late: list[Late] | None = None, urgency: str = "routine") -> Story:
    end = max(at(until), facts[-1].at)
    return Story("W-1", facts, SHOP, SHOP, HER, urgency, end, STATUSES, late or [])


def late(hours: float, kind: str, owner: str = BENCH, owed_to: str = SHOP, ended: float = 10_000) -> Late:
    return Late(at(hours), kind, owner, owed_to, (SHOP, OPENED.id), at(0), at(hours), at(ended))


def told(facts: Story, news: Terms = NO_NEWS, manners: Manners = AT_ANY_HOUR) -> list[tuple[float, str, str]]:
    """(hours after Monday, kind, cause) of each message."""
    messages = predict(facts, news, manners)
    return [(round((message.at - at(0)) / HOUR, 3), message.kind, message.cause) for message in messages]


OPENED = fact(0, "order.opened")


def test_a_repair_that_goes_well() -> None:
    facts = story(
        OPENED,
        fact(1, "item.handed_over", to=BENCH),
        fact(24, "item.received", BENCH),
        fact(30, "quote.offered", BENCH, quote="q1"),
        fact(50, "quote.accepted", BENCH, quote="q1"),
        fact(60, "repair.completed", BENCH),
        fact(61, "item.handed_over", BENCH, to=SHOP),
        fact(80, "item.received", SHOP),
        fact(90, "order.closed", SHOP, outcome="repaired"),
    )
    assert told(facts) == [
        (0, "opened", "order.opened"),
        (24, "received", "item.received"),
        (30, "quote", "quote.offered"),
        (50, "decision", "quote.accepted"),
        (60, "repaired", "repair.completed"),
        (80, "ready", "item.received"),  # and so the close says nothing new
    ]


def test_a_close_that_she_has_not_heard_of_is_told() -> None:
    facts = story(OPENED, fact(5, "repair.completed", BENCH), fact(9, "order.closed", outcome="unrepairable"))
    assert told(facts)[-1] == (9, "closed", "order.closed")


def test_after_the_close_she_hears_no_more_than_what_she_asked_and_whether_it_holds() -> None:
    asked = fact(1, "question.asked", SHOP, question="q1", text="?")
    facts = story(
        OPENED,
        asked,
        fact(9, "order.closed", outcome="repaired"),
        fact(10, "item.received", BENCH),
        fact(11, "order.closed", outcome="repaired"),
        fact(60, "question.answered", SHOP, question="q1", text="!"),
        until=3_000,
        late=[
            late(20, "receive"),
            Late(at(40), "answer", SHOP, HER, (SHOP, asked.id), at(1), at(40), at(60)),
            late(50, "check", SHOP, HER),
        ],
    )
    assert told(facts, NEWS)[3:] == [
        (40, "overdue", "answer"),
        (50, "check", "check"),
        (60, "answer", "question.answered"),
    ]


def test_reopened_it_begins_anew() -> None:
    facts = story(
        OPENED,
        fact(9, "order.closed", outcome="repaired"),
        fact(100, "order.reopened"),
        fact(120, "order.closed", outcome="repaired"),
    )
    assert facts.open_spans() == [(at(0), at(9)), (at(100), at(120))]
    assert [each[:2] for each in told(facts)] == [(0, "opened"), (9, "closed"), (100, "reopened"), (120, "closed")]


def test_of_what_comes_at_one_moment_the_last_speaks() -> None:
    facts = story(
        OPENED,
        fact(9, "order.closed", outcome="repaired"),
        fact(50, "order.reopened"),
        fact(50, "item.received", BENCH),
    )
    assert [each[:2] for each in told(facts)] == [(0, "opened"), (9, "closed"), (50, "received")]


def test_but_progress_does_not_drown_a_question() -> None:
    facts = story(OPENED, fact(5, "work.paused", waiting_for="customer"), fact(5, "item.received", BENCH))
    assert [each[:2] for each in told(facts)] == [(0, "opened"), (5, "received")]  # it goes on, and waits for nobody
    facts = story(OPENED, fact(5, "quote.offered", BENCH, quote="q1"), fact(5, "item.received", BENCH))
    assert [each[:2] for each in told(facts)] == [(0, "opened"), (5, "quote")]


@pytest.mark.parametrize("to", ["customer", HER])
def test_a_question_to_her_and_not_to_others(to: str) -> None:
    facts = story(
        OPENED,
        fact(5, "question.asked", BENCH, to=to, question="q1"),
        fact(6, "question.asked", BENCH, to=SHOP, question="q2"),
        fact(7, "work.paused", BENCH, waiting_for="customer"),  # the question says that already
        fact(8, "work.paused", BENCH, waiting_for="part"),
    )
    assert [each[:2] for each in told(facts)] == [(0, "opened"), (5, "question")]


def test_a_pause_said_again_is_no_other_pause() -> None:
    facts = story(
        OPENED,
        fact(5, "work.paused", waiting_for="customer"),
        fact(6, "work.paused", waiting_for="customer"),
        fact(7, "work.resumed"),
        fact(8, "work.paused", waiting_for="customer"),
    )
    assert [each[0] for each in told(facts)] == [0, 5, 8]


def test_what_was_urgent_and_lies_ready_is_recalled_when_the_shop_is_open() -> None:
    facts = story(
        OPENED,
        fact(1, "item.handed_over", to=BENCH),
        fact(2, "item.received", BENCH),
        fact(100, "repair.completed", BENCH),
        fact(101, "item.handed_over", BENCH, to=SHOP),
        fact(101, "item.received"),  # on Friday at four
        until=24 * 8 + 6,
        late=[late(125, "return", SHOP, HER)],
        urgency="urgent",
    )
    quiet = Manners.of(None, None)
    news = rule('[[override]]\nurgency = "urgent"\nkind = "update"\nallow = "12 hours"', "urgent")
    shop = WorkClock.of(Policy.parse("").calendar)
    ready = [each for each in predict(facts, news, quiet, shop=shop) if each.at >= at(101)]
    assert [(moment_of(each.at).isoformat(timespec="minutes"), each.kind) for each in ready] == [
        ("2026-11-06T15:06+00:00", "ready"),
        ("2026-11-09T14:55+00:00", "update"),
        ("2026-11-10T14:55+00:00", "update"),
    ]


def test_that_she_asks_puts_off_no_news_that_she_was_promised() -> None:
    facts = story(OPENED, fact(98, "question.asked", question="q1", text="?"), until=24 * 8)
    # On Monday an hour and five minutes before five o'clock, as without her question.
    assert told(facts, NEWS) == [
        (0, "opened", "order.opened"),
        (98, "asked", "question.asked"),
        (172.917, "update", "update"),
    ]


def test_answers_dates_visits_and_cover_are_told_each_for_itself() -> None:
    window = {"from": (MONDAY + timedelta(hours=90)).isoformat(), "until": (MONDAY + timedelta(hours=92)).isoformat()}
    by = (MONDAY + timedelta(hours=99)).isoformat()
    facts = story(
        OPENED,
        fact(1, "question.asked", question="q1", text="?"),
        fact(2, "question.answered", question="q1", text="!"),
        fact(3, "promise.made", BENCH, promise="p1", what="done", by_when=by, kind="repair"),
        fact(4, "visit.scheduled", BENCH, visit="v1", **window),
        fact(5, "visit.scheduled", BENCH, visit="v1", **window),  # said again
        fact(6, "cover.decided", BENCH, decision="covered", cause="?", decider="?"),
    )
    assert [each[:2] for each in told(facts)] == [
        (0, "opened"),
        (1, "asked"),
        (2, "answer"),
        (3, "promise"),
        (4, "visit"),
        (6, "cover"),
    ]


def test_what_is_late_is_told_at_once_and_once_for_a_moment() -> None:
    facts = story(
        OPENED,
        fact(30, "item.received", BENCH),
        until=100,
        late=[
            late(10, "receive", ended=30),
            Late(at(10), "cover", BENCH, SHOP, (SHOP, OPENED.id), at(0), at(10)),
            late(40, "diagnose"),
        ],
    )
    assert told(facts)[1:] == [
        (10, "overdue", "receive"),
        (30, "received", "item.received"),
        (40, "overdue", "diagnose"),
    ]


def test_silence_is_broken_before_it_is_too_long_for_the_party_that_answers_to_her() -> None:
    facts = story(OPENED, until=24 * 15)
    # Of forty working hours from Monday 11:00, 38 are over on Friday at 17:00, when the shop closes: so on Monday, five
    # minutes before they are over, and from there once more.
    assert told(facts, NEWS) == [
        (0, "opened", "order.opened"),
        (7 * 24 - 0.083, "update", "update"),
        (14 * 24 - 0.167, "update", "update"),
    ]


def test_without_a_nudge_it_is_broken_when_it_is_too_long() -> None:
    news = rule('[levels.update]\nnudge = "never"\n')
    assert [each[0] for each in told(story(OPENED, until=24 * 8), news)] == [0, 168]


def test_every_news_puts_the_update_off() -> None:
    facts = story(OPENED, fact(24, "item.received", BENCH), until=24 * 10)
    assert [each[0] for each in told(facts, NEWS)] == [0, 24, 8 * 24 - 0.083]


def test_so_does_a_call_that_the_log_tells_of() -> None:
    called = fact(48, "customer.contacted", direction="outbound")
    she_called = fact(72, "customer.contacted", direction="inbound")
    facts = story(OPENED, called, she_called, until=24 * 10)
    assert [each[0] for each in told(facts, NEWS)] == [0, 9 * 24 - 0.083]


def test_who_has_it_back_and_was_asked_is_left_in_peace() -> None:
    facts = story(OPENED, fact(20, "item.returned", SHOP), until=24 * 40, late=[late(44, "check", SHOP, HER)])
    assert told(facts, NEWS) == [(0, "opened", "order.opened"), (44, "check", "check")]


NIGHT = Manners(quiet=(time(21), time(8)))


def test_at_night_nothing_routine_goes_out_and_what_was_overtaken_never_does() -> None:
    facts = story(
        OPENED,
        fact(11, "item.received", BENCH),  # Monday 22:00
        fact(12, "repair.completed", BENCH),
        fact(12.5, "cover.decided", BENCH, decision="covered", cause="?", decider="?"),
        until=48,
    )
    # Tuesday at eight, in one letter.
    assert told(facts, manners=NIGHT) == [
        (0, "opened", "order.opened"),
        (21, "repaired", "repair.completed"),
        (21, "cover", "cover.decided"),
    ]


def test_an_urgent_order_knows_no_night() -> None:
    facts = story(OPENED, fact(11, "item.received", BENCH), until=48, urgency="urgent")
    assert [each[0] for each in told(facts, manners=NIGHT)] == [0, 11]


def test_more_than_so_many_letters_a_day_wait_for_the_morning() -> None:
    facts = story(OPENED, *(fact(hour, "item.received", who) for hour, who in ((1, BENCH), (2, IMPORTER), (3, BENCH))))
    limited = Manners(quiet=(time(21), time(8)), most_a_day=2)
    assert [each[0] for each in told(story(*facts.facts, until=48), manners=limited)] == [0, 1, 21]


def test_a_policy_that_would_never_stop_talking_is_refused() -> None:
    with pytest.raises(TooManyMessagesError):
        predict(story(OPENED, until=24 * 3_000), rule('[allow]\nupdate = "1 minute"'), AT_ANY_HOUR)


def test_silence_is_counted_while_the_order_is_open() -> None:
    spans = [(0, 10), (50, 90)]
    assert gaps(spans, [60, 20, 3, 3]) == [3, 0, 7, 10, 30]
    assert gaps(spans, []) == [10, 40]


PARTIES = st.sampled_from([SHOP, IMPORTER, BENCH])
NAMES = (
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
    "cover.decided",
)
DATA = {
    "order.closed": st.fixed_dictionaries({"outcome": st.sampled_from(["repaired", "declined", "unrepairable"])}),
    "work.paused": st.fixed_dictionaries({"waiting_for": st.sampled_from(["customer", "part", "other"])}),
    "customer.contacted": st.fixed_dictionaries({"direction": st.sampled_from(["inbound", "outbound"])}),
    "item.handed_over": st.fixed_dictionaries({"to": PARTIES}),
    "question.asked": st.fixed_dictionaries(
        {"question": st.sampled_from("ab"), "to": st.sampled_from(["customer", SHOP])}
    ),
    "question.answered": st.fixed_dictionaries({"question": st.sampled_from("ab"), "text": st.sampled_from("xy")}),
    "cover.decided": st.fixed_dictionaries({"decision": st.sampled_from(["covered", "goodwill"])}),
}


@st.composite
def any_facts(draw: st.DrawFn) -> list[Fact]:
    """Facts of an order, in the order in which they happened."""
    hours = 0.0
    facts = [OPENED]
    for number, name in enumerate(draw(st.lists(st.sampled_from(NAMES), max_size=14))):
        hours += draw(st.sampled_from([0, 0.25, 3, 20, 90, 400, 2_000]))
        turns = [fact.name for fact in facts if fact.name in ("order.opened", "order.closed", "order.reopened")]
        if name == "order.reopened" and turns[-1] != "order.closed":
            continue
        data = draw(DATA[name]) if name in DATA else {}
        facts.append(Fact(at(hours), name, draw(PARTIES), f"f{number}", data))
    return facts


RULES = st.sampled_from(
    [rule(f'[allow]\nupdate = "{length}"') for length in ("5 working days", "1 working day", "8 hours", "3 days")]
)


@settings(max_examples=examples(25, 200), deadline=None)
@given(any_facts(), RULES, st.lists(st.integers(0, 4_000), max_size=4, unique=True), st.integers(0, 5_000))
def test_no_open_order_goes_without_news_for_longer_than_the_rule(
    facts: list[Fact], news: Terms, overdue: list[int], until: int
) -> None:
    lates = [Late(at(hours), "cover", BENCH, SHOP, (SHOP, f"o{hours}"), at(0), at(hours)) for hours in overdue]
    whole = story(*facts, until=until, late=lates)
    messages = predict(whole, news, AT_ANY_HOUR)
    heard = sorted([*whole.contacts(), *(message.at for message in messages)])
    for begin, end in whole.open_spans():
        moments = [begin, *(each for each in heard if begin <= each <= end), end]
        waits = [int(news.clock.between(*pair)) for pair in pairwise(moments)]
        assert max(waits) <= news.allowed
    assert messages == sorted(messages, key=lambda message: message.at)
    assert all(isinstance(message, Message) for message in messages)
