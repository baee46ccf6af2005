"""Given what was planned or fell overdue, when the world moves on, then only what is still true and new is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from events.envelope import Event
from services.notifying.records import Send, Suppress
from tests.services.notifying.chain import (
    AT_IMPORTER,
    AT_REPAIRER,
    COMPLETED,
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
    closed,
    fact,
    handed,
    kind_of,
    received,
)

# -- what fell overdue ----------------------------------------------------------------------------------------------


def overdue_receipt(chain: Chain) -> Event:
    """She was told that it is in; it left for the importer, and two working days later nobody has it."""
    chain.given(OPENED)
    chain.told(OPENED)
    chain.given(TO_IMPORTER)
    (trigger,) = chain.falls_overdue("receive", MONDAY + 3 * DAY)
    return trigger


def test_a_handover_without_receipt_is_a_delay(chain: Chain) -> None:
    plan = chain.plan_for(overdue_receipt(chain))
    assert plan is not None
    assert plan.kind == "overdue"
    assert plan.news.handed_at == TO_IMPORTER.time
    assert plan.news.due == datetime(2026, 11, 4, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize("heard", [False, True])
def test_who_has_read_that_nothing_moves_is_not_told_after_it_that_a_step_is_late(chain: Chain, heard: bool) -> None:
    chain.given(OPENED)
    chain.told(OPENED)
    if heard:
        (silence,) = chain.falls_overdue("update", MONDAY + 8 * DAY)
        chain.told(silence)
    (trigger,) = chain.falls_overdue("forward", MONDAY + 8 * DAY + HOUR, level=2)
    assert kind_of(chain.plan_for(trigger)) == (None if heard else "overdue")
    if heard:  # nor does the next news wait for what is not said
        (silence,) = chain.falls_overdue("update", MONDAY + 17 * DAY)
        assert kind_of(chain.plan_for(silence)) == "update"
    # What has happened since begins a silence of its own.
    chain.given(TO_IMPORTER)
    (trigger,) = chain.falls_overdue("receive", MONDAY + 20 * DAY)
    assert kind_of(chain.plan_for(trigger)) == "overdue"


def test_a_delay_that_ended_meanwhile_is_none(chain: Chain) -> None:
    trigger = overdue_receipt(chain)
    arrived = received(IMPORTER, MONDAY + 3 * DAY + HOUR)
    chain.given(arrived)
    assert chain.plan_for(trigger) is None
    assert kind_of(chain.plan_for(arrived)) == "received"


def test_a_planned_delay_message_is_overtaken_by_the_arrival(chain: Chain) -> None:
    message = chain.planned(overdue_receipt(chain))
    assert chain.verdict_on(message) == Send()
    chain.given(received(IMPORTER, MONDAY + 3 * DAY + HOUR))
    assert chain.verdict_on(message) == Suppress("met")


def test_a_receipt_reported_late_after_the_delay_message_is_good_news(chain: Chain) -> None:
    chain.told(overdue_receipt(chain))
    arrived = received(IMPORTER, MONDAY + 2 * DAY, recorded=MONDAY + 3 * DAY + HOUR)
    chain.given(arrived)
    assert kind_of(chain.plan_for(arrived)) == "received"


def test_silence_is_broken_with_an_update(chain: Chain) -> None:
    chain.given(OPENED)
    chain.told(OPENED)
    (trigger,) = chain.falls_overdue("update", MONDAY + 8 * DAY)
    plan = chain.plan_for(trigger)
    assert plan is not None
    assert plan.kind == "update"
    assert plan.news.status == "taken_in"


def test_an_update_yields_to_anything_that_was_told_or_is_about_to_be(chain: Chain) -> None:
    chain.given(OPENED)
    chain.told(OPENED)
    chain.given(TO_IMPORTER)
    (trigger,) = chain.falls_overdue("update", MONDAY + 8 * DAY)
    (delay,) = chain.falls_overdue("receive", MONDAY + 8 * DAY)
    assert chain.plan_for(trigger) is None  # the delay will speak, though it was noted later
    message = chain.planned(delay)
    assert chain.plan_for(trigger) is None
    chain.sent(message)
    assert chain.plan_for(trigger) is None


def test_a_phone_call_of_ours_meets_the_promise_of_news(chain: Chain) -> None:
    chain.given(OPENED)
    chain.told(OPENED)
    (trigger,) = chain.falls_overdue("update", MONDAY + 8 * DAY)
    message = chain.planned(trigger)
    called = fact("customer.contacted", SHOP, MONDAY + 8 * DAY + HOUR, channel="phone", direction="outbound")
    chain.given(called)
    assert chain.verdict_on(message) == Suppress("met")


def test_an_update_gives_way_to_news_that_came_in_the_same_moment(chain: Chain) -> None:
    chain.given(OPENED)
    chain.told(OPENED)
    (trigger,) = chain.falls_overdue("update", MONDAY + 8 * DAY)
    message = chain.planned(trigger)
    arrived = received(IMPORTER, MONDAY + 8 * DAY)
    chain.given(arrived)
    news = chain.planned(arrived)
    assert chain.verdict_on(message) == Suppress("overtaken")
    assert chain.verdict_on(news) == Send()


def test_a_receipt_that_was_never_told_does_not_silence_a_later_delay(chain: Chain) -> None:
    quote = fact("quote.offered", IMPORTER, MONDAY + DAY, quote="q1", amount="85", currency="EUR")
    chain.given(OPENED, TO_IMPORTER, AT_IMPORTER, quote, TO_REPAIRER, AT_REPAIRER)
    chain.told(quote)  # which stood for the receipt as well
    chain.given(handed(REPAIRER, SHOP, MONDAY + 2 * DAY + HOUR))
    (trigger,) = chain.falls_overdue("receive", MONDAY + 7 * DAY)
    assert kind_of(chain.plan_for(trigger)) == "overdue"


# -- just before it leaves ------------------------------------------------------------------------------------------


def test_news_that_is_still_news_leaves(chain: Chain) -> None:
    message = chain.given(OPENED).planned(OPENED)
    assert chain.verdict_on(message) == Send()


def test_already_repaired_is_never_preceded_by_older_news(chain: Chain) -> None:
    message = chain.given(OPENED, TO_REPAIRER, AT_REPAIRER).planned(AT_REPAIRER)
    chain.given(COMPLETED)
    assert chain.verdict_on(message) == Suppress("overtaken")
    assert kind_of(chain.plan_for(COMPLETED)) == "repaired"


def test_closed_meanwhile(chain: Chain) -> None:
    message = chain.given(OPENED).planned(OPENED)
    chain.given(closed(MONDAY + HOUR))
    assert chain.verdict_on(message) == Suppress("closed")


def test_its_cause_was_taken_back(chain: Chain) -> None:
    message = chain.given(OPENED, TO_IMPORTER, AT_IMPORTER).planned(AT_IMPORTER)
    chain.given(fact("fact.corrected", IMPORTER, MONDAY + DAY + HOUR, fact_id=AT_IMPORTER.id, reason="did_not_occur"))
    assert chain.verdict_on(message) == Suppress("corrected")


def test_a_promise_that_has_passed_is_not_made(chain: Chain) -> None:
    message = chain.given(OPENED).planned(OPENED)
    promised = message.planned.next_news_by
    assert promised is not None
    assert chain.verdict_on(message, now=MONDAY + 6 * DAY) == Send()
    assert chain.verdict_on(message, now=promised) == Suppress("stale")
