"""News that was promised goes out before the promise lapses; what fell overdue all the same speaks where it did not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from events.envelope import make_event
from events.party import NOTIFIER
from services.messages import concerns_her
from services.notifying.records import PlannedMessage, Send, Suppress
from services.watchdog import whom_to_notify
from tests.services.notifying.chain import (
    DAY,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    ORDER,
    SHOP,
    TO_IMPORTER,
    Chain,
    fact,
    kind_of,
    opened,
    received,
)
from tests.services.notifying.sweeping import due_by, swept

#: Five working days after Monday 11:00 (10:00 UTC); and two working hours before that, on Friday at 17:00.
DUE = MONDAY + 7 * DAY
CUE = MONDAY + 4 * DAY + 6 * HOUR
SECOND = timedelta(seconds=1)


def fails(chain: Chain, message: PlannedMessage, at: datetime, name: str = "failed") -> None:
    data = {"message": message.message, "kind": message.kind, "reason": "bad_address"}
    extra = {"channel": "email"} if name == "unknown" else {}
    chain.given(
        make_event(
            f"message.{name}",
            source=NOTIFIER,
            id=f"outcome:{message.message}",
            subject=ORDER,
            time=at,
            recordedtime=at,
            data=data | extra,
        )
    )


@pytest.fixture
def told(chain: Chain) -> Chain:
    """She was told that it is in, and when she hears more."""
    chain.given(OPENED)
    chain.told(OPENED)
    return chain


def test_two_working_hours_before_it_is_late_the_news_is_written(told: Chain) -> None:
    assert due_by(told, CUE) == []
    cue, row = swept(told, CUE + SECOND)
    assert (cue.name, cue.data["due"], row["said_for"]) == ("commitment.nudged", "2026-11-09T10:00:00Z", _iso(CUE))
    message = told.planned(cue)
    assert message.kind == "update"
    assert told.verdict_on(message) == Send()
    told.sent(message)
    assert due_by(told, DUE + DAY) == []


def test_nobody_gets_a_notice_for_that(told: Chain) -> None:
    _, row = swept(told, CUE + SECOND)
    assert whom_to_notify(row) == set()


def test_of_what_others_owe_she_hears_nothing_before_it_is_late(told: Chain) -> None:
    told.given(TO_IMPORTER)
    reminder, row = swept(told, MONDAY + 2 * DAY, "receive")
    assert reminder.name == "commitment.nudged"
    assert whom_to_notify(row) == {IMPORTER}
    assert not concerns_her(reminder)
    assert told.plan_for(reminder) is None


def test_for_an_urgent_order_it_is_written_in_the_night(chain: Chain) -> None:
    urgent = opened(urgency="urgent")
    chain.given(urgent)
    chain.told(urgent, named=MONDAY + 13 * HOUR)
    # Twelve hours, of which 95 in a hundred are eleven hours and 24 minutes.
    assert due_by(chain, MONDAY + timedelta(hours=11, minutes=24)) == []
    cue, _ = swept(chain, MONDAY + timedelta(hours=11, minutes=24, seconds=1))
    assert kind_of(chain.plan_for(cue)) == "update"


def test_news_that_came_right_before_it_is_enough(told: Chain) -> None:
    cue, _ = swept(told, CUE + SECOND)
    message = told.planned(cue)
    arrived = received(IMPORTER, CUE + 2 * SECOND)
    told.given(arrived).planned(arrived)
    assert told.verdict_on(message) == Suppress("overtaken")


def test_a_call_of_ours_is_enough(told: Chain) -> None:
    cue, _ = swept(told, CUE + SECOND)
    message = told.planned(cue)
    told.given(fact("customer.contacted", SHOP, CUE + HOUR, channel="phone", direction="outbound"))
    assert told.verdict_on(message) == Suppress("met")


def test_a_closure_that_moves_the_date_moves_the_news(told: Chain) -> None:
    cue, _ = swept(told, CUE + SECOND)
    message = told.planned(cue)
    closure = {"from": _iso(DUE - 6 * HOUR), "until": _iso(DUE + DAY + 13 * HOUR)}
    told.given(
        make_event(
            "party.closed",
            source=SHOP,
            id="holiday",
            subject=SHOP,
            time=CUE + 2 * SECOND,
            recordedtime=CUE + 2 * SECOND,
            data=closure,
        )
    )
    assert told.verdict_on(message) == Suppress("overtaken")
    assert told.plan_for(cue) is None
    # By the closure it would be due on Wednesday, but she was promised news on Monday. Said anew, of that date.
    again, _ = swept(told, CUE + 3 * SECOND)
    assert (again.name, again.data["due"]) == ("commitment.nudged", "2026-11-09T15:00:00Z")
    assert told.verdict_on(told.planned(again)) == Send()


@pytest.mark.parametrize("name", ["failed", "unknown"])
def test_where_it_did_not_get_out_that_it_is_late_speaks(told: Chain, name: str) -> None:
    cue, _ = swept(told, CUE + SECOND)
    fails(told, told.planned(cue), CUE + HOUR, name)
    late, _ = swept(told, DUE + SECOND)
    assert late.name == "commitment.overdue"
    message = told.planned(late)
    assert message.kind == "update"
    assert told.verdict_on(message) == Send()


def test_that_nobody_called_her_either_is_for_the_parties(told: Chain) -> None:
    cue, _ = swept(told, CUE + SECOND)
    fails(told, told.planned(cue), CUE + 2 * SECOND)
    (late,) = told.falls_overdue("call", DUE + DAY)
    assert told.plan_for(late) is None


def test_where_it_is_still_here_when_it_is_late_the_later_one_goes_out(told: Chain) -> None:
    cue, _ = swept(told, CUE + SECOND)
    first = told.planned(cue)
    late, _ = swept(told, DUE + SECOND)
    second = told.planned(late)
    assert told.verdict_on(first) == Suppress("overtaken")
    assert told.verdict_on(second) == Send()
    told.sent(second)
    assert told.verdict_on(first) == Suppress("met")


def test_without_a_nudge_that_it_is_late_speaks(told: Chain) -> None:
    late, _ = swept(told, DUE + SECOND)
    assert late.name == "commitment.overdue"
    assert kind_of(told.plan_for(late)) == "update"


def test_the_promise_that_it_keeps_does_not_make_it_stale(told: Chain) -> None:
    promised = datetime(2026, 11, 9, 16, 0, tzinfo=UTC)
    cue, _ = swept(told, CUE + SECOND)
    message = told.planned(cue)
    assert message.planned.next_news_by is not None
    assert message.planned.next_news_by > promised
    # It waited until after the evening that she was promised: late, and still owed to her.
    assert told.verdict_on(message, promised + HOUR) == Send()


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
