"""News comes at the same decent hour from week to week, and in time."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from events.envelope import Event
from projections.calendar import DEFAULT
from projections.clock import WorkClock, add_time
from services.notifying.decency import Manners
from services.notifying.records import PlannedMessage
from services.notifying.steadying import to_be_written
from services.notifying.waiting import AgainLaterError, NotYetError
from services.watchdog import decide
from tests.services.notifying.chain import (
    DAY,
    HOUR,
    IMPORTER,
    MONDAY,
    SHOP,
    TO_IMPORTER,
    Chain,
    fact,
    handed,
    opened,
    received,
)
from tests.services.notifying.post import teller

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CLOCK = WorkClock.of(DEFAULT)
WEEK, CUE = timedelta(hours=40), timedelta(hours=38)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("cue", "due", "written"),
    [
        ("13 13:00", "13 15:00", "13 14:55"),  # right before it is due
        ("13 15:00", "13 17:00", "13 15:00"),  # then nobody would be there to be called
        ("13 16:30", "16 10:30", "16 10:25"),  # at the cue neither: after the weekend
        ("13 15:30", "16 09:30", "13 15:30"),
        ("13 15:50", "16 10:20", "13 15:50"),  # decent at once, and nothing waits over a weekend for no reason
        ("13 14:58", "13 15:00", "13 14:58"),  # the cue came late
        ("13 15:10", "13 15:00", "13 15:10"),
        ("09 16:30", "16 11:00", "09 16:30"),  # a holiday is too long to wait
    ],
)
def test_when_it_is_written(cue: str, due: str, written: str) -> None:
    assert to_be_written(at(cue), at(due), AMSTERDAM) == at(written)


def test_what_is_urgent_waits_for_nothing_but_the_morning() -> None:
    nights = Manners(AMSTERDAM, (time(21), time(8)))
    assert to_be_written(at("13 13:00"), at("13 15:00"), AMSTERDAM, nights, "urgent") == at("13 13:00")
    assert to_be_written(at("13 22:00"), at("13 23:00"), AMSTERDAM, nights, "urgent") == at("14 08:00")
    assert to_be_written(at("13 22:00"), at("13 23:00"), AMSTERDAM, Manners(AMSTERDAM), "urgent") == at("13 22:00")


def test_of_what_lies_ready_it_is_written_right_before_it_is_due() -> None:
    nights = Manners(AMSTERDAM, (time(21), time(8)))

    def written(cue: str, due: str) -> datetime:
        return to_be_written(at(cue), at(due), AMSTERDAM, nights, "urgent", ready=True)

    assert written("16 12:00", "16 16:00") == at("16 15:55")
    assert written("16 16:30", "16 16:00") == at("16 16:30")
    assert written("16 07:40", "16 08:00") == at("16 08:00")


def test_her_quiet_hours_are_not_waited_into() -> None:
    far = Manners(zone=ZoneInfo("Asia/Tokyo"), quiet=(time(21), time(8)))  # 22:55 there
    assert to_be_written(at("13 13:00"), at("13 15:00"), AMSTERDAM, far) == at("13 13:00")


def _hours(first: datetime, weeks: int) -> list[datetime]:
    """When a year of weekly letters leaves, the first at ``first``."""
    sent = [first]
    for _ in range(weeks):
        due, cue = add_time(CLOCK, sent[-1], WEEK), add_time(CLOCK, sent[-1], CUE)
        sent.append(to_be_written(cue, due, AMSTERDAM).astimezone(AMSTERDAM))
    return sent


@pytest.mark.parametrize("hour", ["09 08:10", "09 09:05", "09 12:40", "10 15:59", "11 16:40", "12 20:15", "14 11:00"])
def test_whenever_the_first_left_the_others_come_at_a_steady_hour(hour: str) -> None:
    sent = _hours(at(hour), 12)
    settled = sent[2:]
    for earlier, later in pairwise(settled):
        assert later - earlier == timedelta(days=7, minutes=-5)
    assert all(time(10) <= each.time() <= time(16) and each.weekday() < 5 for each in settled)
    # Each is there before it was due, which is an hour at least before she was promised it.
    for earlier, later in pairwise(sent):
        assert later < add_time(CLOCK, earlier, WEEK)


# -- at the teller --------------------------------------------------------------------------------------------------

#: News is due five working days after Monday at 11:00; its cue comes on Friday at 17:00, when the shop closes.
DUE = MONDAY + 7 * DAY
CUE_AT = MONDAY + 4 * DAY + 6 * HOUR
WRITTEN = DUE - timedelta(minutes=5)


def cue(chain: Chain) -> Event:
    """The cue to the news that she was promised when it was taken in."""
    order = opened()
    chain.given(order).told(order)
    return cued(chain, CUE_AT)


def takes_in_urgently(chain: Chain, named: datetime) -> None:
    """It was taken in on Monday at eleven, and ``named`` is the date of the next news that she was told."""
    order = opened(urgency="urgent")
    chain.given(order).told(order, named=named)


def cued(chain: Chain, now: datetime) -> Event:
    """The watchdog's cue to news, ``now``."""
    chain.clock.set(now)
    rows = chain.query("sweep", {"now": (chain.clock.now() + timedelta(seconds=1)).isoformat()})["sweep"]
    ((event, _),) = decide([row for row in rows if row["kind"] == "update"], chain.clock.now())
    return chain.given(event).events[-1]


async def test_news_is_written_of_what_is_known_when_its_hour_comes(chain: Chain) -> None:
    nudged, at_work = cue(chain), teller(chain)
    with pytest.raises(NotYetError) as early:
        await at_work.handle(nudged)
    assert chain.clock.now() + timedelta(seconds=early.value.delay) == WRITTEN
    assert len(chain.named("message.planned")) == 1
    chain.given(fact("diagnosis.made", SHOP, WRITTEN - HOUR, summary="a worn crown"))
    chain.clock.set(WRITTEN)
    await at_work.handle(nudged)
    update = chain.named("message.planned")[-1]
    assert update.data["kind"] == "update"
    assert "it was examined (“a worn crown”)" in update.data["body"]
    assert chain.named("message.sent")[-1].time == WRITTEN


async def test_whoever_cannot_remember_it_writes_at_once(chain: Chain) -> None:
    nudged = cue(chain)
    await teller(chain).handle(nudged, patient=False)
    assert chain.named("message.sent")[-1].time == chain.clock.now() == CUE_AT


async def test_of_an_urgent_order_it_is_written_at_the_cue_or_when_the_night_is_over(chain: Chain) -> None:
    # She was promised it for nine in the morning, and the cue comes at half past seven.
    takes_in_urgently(chain, named=MONDAY + 22 * HOUR)
    nudged, at_work = cued(chain, MONDAY + 20.5 * HOUR), teller(chain)
    with pytest.raises(NotYetError) as early:
        await at_work.handle(nudged)
    morning = (MONDAY + DAY).replace(hour=7)
    assert chain.clock.now() + timedelta(seconds=early.value.delay) == morning
    chain.clock.set(morning)
    await at_work.handle(nudged)
    sent = chain.named("message.sent")[-1]
    assert (sent.time, sent.data["kind"]) == (morning, "update")
    # Twelve hours and one later it would be nine in the evening: no letter is promised for the night.
    assert sent.data["next_news_by"] == "2026-11-03T20:00:00Z"


async def test_that_it_fell_overdue_at_night_is_written_of_in_the_morning_with_a_date_that_is_still_to_come(
    chain: Chain,
) -> None:
    takes_in_urgently(chain, named=MONDAY + 10 * HOUR)  # for the evening
    at_work = teller(chain)
    (late,) = chain.falls_overdue("update", MONDAY + 12.1 * HOUR)
    with pytest.raises(NotYetError):
        await at_work.handle(late)
    assert len(chain.named("message.planned")) == 1
    morning = (MONDAY + DAY).replace(hour=7)
    chain.clock.set(morning)
    await at_work.handle(late)
    sent = chain.named("message.sent")[-1]
    assert (sent.time, sent.data["next_news_by"]) == (morning, "2026-11-03T20:00:00Z")


async def test_a_delay_of_an_urgent_order_is_written_of_in_the_morning_too(chain: Chain) -> None:
    order, at_work = opened(urgency="urgent"), teller(chain)
    chain.given(order)
    chain.told(order)
    (late,) = chain.falls_overdue("forward", MONDAY + 12.1 * HOUR)
    with pytest.raises(NotYetError):
        await at_work.handle(late)
    morning = (MONDAY + DAY).replace(hour=7)
    chain.clock.set(morning)
    await at_work.handle(late)
    sent = chain.named("message.sent")[-1]
    assert (sent.time, sent.data["kind"]) == (morning, "overdue")
    assert sent.data["next_news_by"] == "2026-11-03T20:00:00Z"


FRIDAY = MONDAY + 4 * DAY


async def test_what_was_urgent_and_lies_ready_is_not_recalled_while_the_shop_is_closed(chain: Chain) -> None:
    home, at_work = received(SHOP, FRIDAY + 5 * HOUR), teller(chain)  # at four
    chain.story(opened(urgency="urgent"), TO_IMPORTER, received(IMPORTER, MONDAY + DAY))
    chain.given(fact("repair.completed", IMPORTER, FRIDAY), handed(IMPORTER, SHOP, FRIDAY + HOUR), home)
    with pytest.raises(AgainLaterError):  # it waits a little for more
        await at_work.handle(home)
    ready = chain.named("message.planned")[-1]
    assert (ready.data["kind"], ready.data["next_news_by"]) == ("ready", "2026-11-09T16:00:00Z")
    chain.sent(PlannedMessage.of(ready), FRIDAY + 5.1 * HOUR)
    # A day after it came home its return is due.
    (back,) = chain.falls_overdue("return", FRIDAY + 30 * HOUR)
    await at_work.handle(back)
    assert len(chain.named("message.planned")) == 2
    news = cued(chain, FRIDAY + 3 * DAY + 2 * HOUR)
    with pytest.raises(NotYetError) as early:
        await at_work.handle(news)
    monday = FRIDAY + 3 * DAY + 4 * HOUR + timedelta(minutes=55)
    assert chain.clock.now() + timedelta(seconds=early.value.delay) == monday
    chain.clock.set(monday)
    await at_work.handle(news)
    sent = chain.named("message.sent")[-1]
    assert (sent.time, sent.data["kind"], sent.data["next_news_by"]) == (monday, "update", "2026-11-10T16:00:00Z")
    assert "is still here with us, ready for you" in sent.data["body"]


async def test_that_her_answer_is_late_she_hears_at_once_though_what_was_urgent_lies_ready(chain: Chain) -> None:
    home, at_work = received(SHOP, FRIDAY - 5 * HOUR), teller(chain)
    chain.story(opened(urgency="urgent"), TO_IMPORTER, received(IMPORTER, MONDAY + DAY))
    chain.given(fact("repair.completed", IMPORTER, FRIDAY - DAY), handed(IMPORTER, SHOP, FRIDAY - DAY + HOUR), home)
    chain.told(home)
    her = "customer:C-77"
    chain.given(fact("question.asked", her, FRIDAY + 5 * HOUR, question="q1", text="May he fetch it?", to=SHOP))
    (late,) = chain.falls_overdue("answer", FRIDAY + 2 * DAY + 6 * HOUR)
    await at_work.handle(late)
    sent = chain.named("message.sent")[-1]
    assert (sent.time, sent.data["kind"]) == (FRIDAY + 2 * DAY + 6 * HOUR, "overdue")
    assert "you are still waiting for our answer" in sent.data["body"]


async def test_what_was_told_in_the_meantime_needs_no_news(chain: Chain) -> None:
    nudged, at_work = cue(chain), teller(chain)
    with pytest.raises(NotYetError):
        await at_work.handle(nudged)
    arrived = received(IMPORTER, WRITTEN - HOUR)
    chain.given(TO_IMPORTER, arrived)
    chain.told(arrived)
    chain.clock.set(WRITTEN)
    await at_work.handle(nudged)
    assert [event.data["kind"] for event in chain.named("message.sent")] == ["opened", "received"]
