"""The date of the next news: when she is awake, and sooner where a visit was missed."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from events.envelope import Event
from projections.calendar import ALWAYS
from projections.clock import WorkClock, promise_of_next_news
from projections.policies.next_news import after_missed_visit, while_it_lies_ready
from projections.policy import Policy
from services.adopting import adoption
from services.messages import decide_plan
from services.notifying.decency import Manners
from services.notifying.history import History
from services.notifying.phrases import says_sorry_first
from services.notifying.promising import by_day, is_always_by_day, missed_visit
from services.notifying.records import MessagePlan
from services.notifying.wording import compose
from tests.services.notifying.chain import CARDS, DAY, HOUR, MONDAY, ORDER, POLICY, REPAIRER, Chain, fact, opened
from tests.services.notifying.post import teller
from tests.services.notifying.sweeping import swept

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NIGHTS = Manners(AMSTERDAM, (time(21), time(8)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("now", "promise", "named"),
    [
        ("02 08:00", "02 21:00", "02 21:00"),  # in the evening still
        ("02 12:00", "03 01:00", "02 21:00"),
        ("02 16:00", "03 05:00", "02 21:00"),
        ("02 18:00", "03 07:00", "03 09:00"),  # three hours for news are too few
        ("02 19:00", "03 08:00", "03 09:00"),  # nobody can have written by then
        ("02 19:30", "03 08:30", "03 08:30"),
        ("02 23:00", "03 12:00", "03 12:00"),
        ("02 10:00", "09 17:00", "09 17:00"),  # what is routine ends with a working day
    ],
)
def test_no_letter_is_promised_for_the_night(now: str, promise: str, named: str) -> None:
    assert by_day(at(promise), at(now), NIGHTS) == at(named)


@pytest.mark.parametrize("allowed", [1, 2, 3, 6, 12])
def test_however_little_time_there_is_for_news_no_letter_follows_right_after_another(allowed: int) -> None:
    for minute in range(0, 24 * 60, 10):
        now = at("02 00:00") + minute * HOUR / 60
        promise = promise_of_next_news(WorkClock.of(ALWAYS), now, allowed * HOUR)
        # It is due an hour before what was named, and written a little before that.
        assert by_day(promise, now, NIGHTS) - HOUR - now >= allowed * HOUR / 3


def test_without_quiet_hours_any_hour_will_do() -> None:
    assert by_day(at("03 03:00"), at("02 14:00"), Manners(AMSTERDAM)) == at("03 03:00")


def test_quiet_hours_are_hers_where_she_is() -> None:
    tokyo = Manners(ZoneInfo("Asia/Tokyo"), (time(21), time(8)))
    # Five in the afternoon at the shop is one in the night there: four hours earlier she is awake.
    assert by_day(at("09 17:00"), at("02 10:00"), tokyo) == at("09 13:00")


def test_quiet_hours_that_leave_little_of_a_day_leave_a_moment() -> None:
    narrow = Manners(AMSTERDAM, (time(9), time(8)))
    assert by_day(at("03 20:00"), at("02 08:30"), narrow) == at("03 09:00")


async def test_a_letter_names_the_evening_where_the_rule_says_midnight(chain: Chain) -> None:
    """Taken in at eleven of her clock: twelve hours, and one."""
    order = opened(urgency="urgent")
    await teller(chain.given(order)).handle(order)
    (sent,) = chain.named("message.sent")
    assert sent.data["next_news_by"] == "2026-11-02T20:00:00Z"


@pytest.mark.parametrize(
    ("hours", "zone", "quiet", "expected"),
    [
        ("9:00-17:00", "Europe/Amsterdam", (time(21), time(8)), True),
        ("9:00-22:00", "Europe/Amsterdam", (time(21), time(8)), False),
        ("9:00-17:00", "Europe/Amsterdam", (time(13), time(15)), False),
        ("9:00-17:00", "Asia/Tokyo", (time(21), time(8)), False),
        ("9:00-22:00", "Europe/Amsterdam", None, True),
    ],
)
def test_whose_promises_are_by_day_anyway(
    hours: str, zone: str, quiet: tuple[time, time] | None, expected: bool
) -> None:
    calendar = Policy.parse(f'[calendar]\nmonday = "{hours}"').calendar
    assert is_always_by_day(calendar, Manners(ZoneInfo(zone), quiet)) is expected


# -- a visit that was missed ------------------------------------------------------------------------------------------

WINDOW: Any = {"from": (MONDAY + DAY).isoformat(), "until": (MONDAY + DAY + 2 * HOUR).isoformat()}
AGAIN: Any = {"from": (MONDAY + 3 * DAY).isoformat(), "until": (MONDAY + 3 * DAY + 2 * HOUR).isoformat()}
PLANNED = fact("visit.scheduled", REPAIRER, MONDAY + HOUR, visit="v1", **WINDOW)
MISSED = MONDAY + DAY + 2 * HOUR
WEDNESDAY_EVENING, THURSDAY_EVENING = "2026-11-04T16:00:00Z", "2026-11-05T16:00:00Z"


def missed(chain: Chain) -> Event:
    """That nobody came is noted right when the window ends."""
    chain.given(opened())
    chain.told(chain.events[0])
    chain.given(PLANNED)
    chain.told(PLANNED)
    (late,) = chain.falls_overdue("visit", MISSED + HOUR / 60)
    return late


async def test_the_next_news_comes_on_the_next_working_day(chain: Chain) -> None:
    await teller(chain).handle(missed(chain))
    sent = chain.named("message.sent")[-1]
    assert (sent.data["kind"], sent.data["next_news_by"]) == ("overdue", WEDNESDAY_EVENING)
    assert "unless we have agreed on a new time with you before then" in sent.data["body"]


def test_the_letter_that_nobody_came_says_it_once(chain: Chain) -> None:
    assert _plan(chain, missed(chain), chain.clock.now()).news.visit_missed is None


async def test_until_there_is_a_new_time_each_letter_names_the_day_after_it(chain: Chain) -> None:
    at_work = teller(chain)
    await at_work.handle(missed(chain))
    # An hour before what was promised, and five minutes.
    written = MISSED + DAY + 175 * HOUR / 60
    chain.clock.set(written)
    cue, _ = swept(chain, written)
    await at_work.handle(cue)
    sent = chain.named("message.sent")[-1]
    assert (sent.data["kind"], sent.data["next_news_by"]) == ("update", THURSDAY_EVENING)
    assert says_sorry_first(sent.data["body"], "en")
    assert "should have taken place by" in sent.data["body"]
    assert "there is no new time yet; we are arranging one with you" in sent.data["body"]


async def test_a_new_time_ends_that(chain: Chain) -> None:
    missed(chain)
    assert missed_visit(History.of(chain.timeline), chain.clock.now()) is not None
    again = fact("visit.scheduled", REPAIRER, MISSED + HOUR, visit="v2", **AGAIN)
    chain.given(again)
    assert missed_visit(History.of(chain.timeline), chain.clock.now()) is None
    assert (
        _plan(chain, again, MISSED + HOUR).next_news_by == _plan(chain, again, MISSED + HOUR, sooner=None).next_news_by
    )


def test_whoever_did_the_work_was_there(chain: Chain) -> None:
    missed(chain)
    chain.given(fact("repair.completed", REPAIRER, MISSED + HOUR))
    assert missed_visit(History.of(chain.timeline), chain.clock.now()) is None


def test_where_a_person_is_to_be_in_touch_she_waits_for_that(chain: Chain) -> None:
    chain.told(missed(chain))
    kinds = []
    for week in range(3):
        assert missed_visit(History.of(chain.timeline), chain.clock.now()) is not None
        plan = chain.plan_for(chain.falls_overdue("update", MISSED + (10 + 8 * week) * DAY)[-1])
        assert plan is not None
        chain.sent(chain.record(plan))
        kinds.append(plan.kind)
    assert kinds == ["update", "update", "person"]
    assert missed_visit(History.of(chain.timeline), chain.clock.now()) is None


async def test_the_policy_says_how_soon(chain: Chain) -> None:
    answer = chain.query("closures", {"party": "retailer:juno", "now": (MISSED + HOUR).isoformat()})
    assert answer["next_news_after_missed_visit_by"] == WEDNESDAY_EVENING
    assert answer["next_news_by"] > answer["next_news_after_missed_visit_by"]
    # Hours that are no working hours count day and night: three of them, and one.
    chain.given(adoption(Policy.parse('[messages]\nafter_missed_visit = "3 hours"'), MISSED, 0))
    answer = chain.query("closures", {"party": "retailer:juno", "now": (MISSED + HOUR).isoformat()})
    assert answer["next_news_after_missed_visit_by"] == "2026-11-03T17:00:00Z"


@pytest.mark.parametrize(
    ("now", "named"),
    [
        ("02 10:00", "03 17:00"),
        ("02 15:59", "03 17:00"),
        ("02 16:30", "03 17:00"),  # not Wednesday: a working day is enough
        ("02 22:00", "03 17:00"),
        ("03 08:00", "03 17:00"),  # before they open, it is today
        ("06 16:30", "09 17:00"),  # over the weekend
        ("07 12:00", "09 17:00"),
    ],
)
def test_who_was_missed_late_in_the_afternoon_hears_on_the_next_working_day(now: str, named: str) -> None:
    calendar = Policy.parse("").calendar
    allowed = Policy.parse("").messages.after_missed_visit
    assert after_missed_visit(allowed, WorkClock.of(calendar), calendar.day_length, at(now)) == at(named)


@pytest.mark.parametrize(
    ("now", "named"),
    [("06 10:00", "09 17:00"), ("06 16:00", "09 17:00"), ("07 12:00", "09 17:00"), ("02 10:00", "03 17:00")],
)
def test_of_what_was_urgent_and_lies_ready_she_hears_when_the_shop_is_open(now: str, named: str) -> None:
    assert while_it_lies_ready(WorkClock.of(Policy.parse("").calendar), at(now)) == at(named)
    assert while_it_lies_ready(WorkClock.of(ALWAYS), at(now)) is None


def _plan(chain: Chain, trigger: Event, now: datetime, sooner: datetime | None = MISSED + DAY) -> MessagePlan:
    plan = decide_plan(trigger, chain.timeline, POLICY, now, sooner=sooner)
    assert plan is not None
    return plan


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_letter_that_there_is_no_new_time_yet(chain: Chain, language: str) -> None:
    missed(chain)
    chain.told(chain.events[-1])
    (late,) = chain.falls_overdue("update", MISSED + 12 * DAY)
    plan = _plan(chain, late, chain.clock.now())
    assert plan.news.visit_missed == MISSED
    body = compose(plan, CARDS, language).body
    assert says_sorry_first(body, language)
    assert ORDER in body


def test_what_the_chain_has_adopted_goes_before_what_is_built_in() -> None:
    rules = Policy.parse('[messages]\nmost_silent = "never"\nafter_missed_visit = "3 hours"').messages.model_dump()
    adopted = POLICY.under(rules)
    assert (adopted.most_silent, str(adopted.after_missed_visit)) == (0, "3 hours")
    assert POLICY.under(None) == POLICY
