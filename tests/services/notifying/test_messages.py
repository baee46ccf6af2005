"""Given what happened, when a fact comes, then she is told so, once, or nothing is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from events.envelope import Event
from services.messages import TRIGGERS
from services.notifying.records import PlannedMessage, Send, Suppress
from tests.services.notifying.chain import (
    AT_IMPORTER,
    AT_REPAIRER,
    COMPLETED,
    DAY,
    FAILED,
    HOME,
    HOMEWARD,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    ORDER,
    QUOTE,
    REPAIRER,
    SHOP,
    TO_IMPORTER,
    TO_REPAIRER,
    Chain,
    body_of,
    closed,
    fact,
    handed,
    kind_of,
    opened,
    received,
)


def tell_in_turn(chain: Chain) -> list[PlannedMessage]:
    """Handle every fact of the log in its turn, as the notifier does, and return what was said."""
    causes = [event for event in chain.events if event.name in TRIGGERS]
    return [chain.record(plan) for event in causes if (plan := chain.plan_for(event))]


# -- what is news ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "trigger", "kind"),
    [
        ([], OPENED, "opened"),
        ([OPENED], received(SHOP, MONDAY), None),  # taken in at the moment of opening
        ([OPENED], TO_IMPORTER, None),
        ([OPENED, TO_IMPORTER], AT_IMPORTER, "received"),
        ([OPENED, TO_IMPORTER, AT_IMPORTER], received(IMPORTER, MONDAY + 2 * DAY), None),  # said again
        ([OPENED, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER], AT_REPAIRER, "received"),
        ([OPENED, TO_IMPORTER, AT_IMPORTER], QUOTE, "quote"),
        ([OPENED, TO_IMPORTER, AT_IMPORTER], COMPLETED, "repaired"),
        ([OPENED, TO_IMPORTER, AT_IMPORTER], FAILED, "failed"),
        ([OPENED, TO_IMPORTER, AT_IMPORTER, COMPLETED, HOMEWARD], HOME, "ready"),
        ([OPENED, TO_IMPORTER, AT_IMPORTER, FAILED, HOMEWARD], HOME, "ready"),
        ([OPENED, TO_IMPORTER, AT_IMPORTER, HOMEWARD], HOME, "received"),  # back, and nothing done
        ([OPENED], fact("diagnosis.made", SHOP, MONDAY + HOUR, summary="crown"), None),
        ([OPENED], fact("customer.contacted", SHOP, MONDAY + HOUR, channel="phone", direction="inbound"), None),
        ([OPENED], closed(MONDAY + HOUR), "closed"),
    ],
)
def test_a_fact_causes_the_message_it_deserves(
    chain: Chain, before: list[Event], trigger: Event, kind: str | None
) -> None:
    if before:
        chain.given(*before)
        tell_in_turn(chain)
    assert kind_of(chain.given(trigger).plan_for(trigger)) == kind


def test_the_plan_names_cause_accountable_party_and_the_next_news(chain: Chain) -> None:
    plan = chain.given(OPENED).plan_for(OPENED)
    assert plan is not None
    assert (plan.order, plan.trigger_source, plan.trigger_id) == (ORDER, SHOP, OPENED.id)
    assert (plan.accountable, plan.opener, plan.customer) == (SHOP, SHOP, "C-77")
    assert plan.next_news_by == datetime(2026, 11, 9, 16, 0, tzinfo=UTC)  # Monday a week later, 17:00


def test_the_date_counts_the_announced_closure_and_the_message_knows_of_it(chain: Chain) -> None:
    closure = (datetime(2026, 11, 3, 23, 0, tzinfo=UTC), datetime(2026, 11, 17, 23, 0, tzinfo=UTC))
    plan = chain.given(OPENED).plan_for(OPENED, closures=[closure])
    assert plan is not None
    assert plan.next_news_by == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert (plan.news.closed_from, plan.news.closed_until) == closure


def test_somebody_else_may_be_accountable(chain: Chain) -> None:
    trigger = opened(accountable=IMPORTER)
    plan = chain.given(trigger).plan_for(trigger)
    assert plan is not None
    assert plan.accountable == IMPORTER


# -- what is not ----------------------------------------------------------------------------------------------------


def test_nothing_without_a_customer(chain: Chain) -> None:
    trigger = opened(customer=None)
    assert chain.given(trigger).plan_for(trigger) is None


def test_nothing_about_things_long_past(chain: Chain) -> None:
    chain.given(OPENED)
    assert chain.plan_for(OPENED, now=MONDAY + timedelta(days=7)) is not None
    assert chain.plan_for(OPENED, now=MONDAY + timedelta(days=7, seconds=1)) is None


def test_a_fact_recorded_today_about_last_month_is_long_past(chain: Chain) -> None:
    trigger = opened(at=MONDAY - timedelta(days=30), recorded=MONDAY)
    assert chain.given(trigger).plan_for(trigger) is None


def test_a_clock_that_is_ahead_does_not_make_news_of_old_facts(chain: Chain) -> None:
    trigger = opened(at=MONDAY + timedelta(days=300), recorded=MONDAY)
    assert chain.given(trigger).plan_for(trigger, now=MONDAY + timedelta(days=8)) is None


def test_nothing_after_the_order_is_closed(chain: Chain) -> None:
    chain.given(OPENED, TO_IMPORTER, AT_IMPORTER, closed(MONDAY + DAY + HOUR))
    assert chain.plan_for(AT_IMPORTER) is None


def test_nothing_about_a_fact_that_was_taken_back(chain: Chain) -> None:
    taken_back = fact("fact.corrected", IMPORTER, MONDAY + DAY + HOUR, fact_id=AT_IMPORTER.id, reason="did_not_occur")
    chain.given(OPENED, TO_IMPORTER, AT_IMPORTER, taken_back)
    assert chain.plan_for(AT_IMPORTER) is None


def test_the_same_message_is_planned_once(chain: Chain) -> None:
    chain.given(OPENED).planned(OPENED)
    assert chain.plan_for(OPENED) is None


# -- many at once ---------------------------------------------------------------------------------------------------


def test_of_a_batch_only_the_latest_speaks(chain: Chain) -> None:
    chain.given(OPENED, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER, AT_REPAIRER)
    assert [told.planned.trigger_id for told in tell_in_turn(chain)] == [AT_REPAIRER.id]


def test_a_fact_that_could_not_be_handled_in_its_turn_is_told_by_the_next(chain: Chain) -> None:
    taken_in = received(SHOP, MONDAY)
    plan = chain.given(OPENED, taken_in).plan_for(taken_in)
    assert kind_of(plan) == "opened"


def test_the_latest_is_the_one_that_happened_last_whatever_the_order_of_reports(chain: Chain) -> None:
    chain.given(OPENED, AT_REPAIRER, TO_REPAIRER, AT_IMPORTER, TO_IMPORTER)
    assert [told.planned.trigger_id for told in tell_in_turn(chain)] == [AT_REPAIRER.id]


def test_an_old_checkpoint_that_comes_after_newer_news_is_no_news(chain: Chain) -> None:
    chain.given(OPENED, TO_REPAIRER, AT_REPAIRER)
    chain.told(AT_REPAIRER)
    chain.given(AT_IMPORTER)
    assert chain.plan_for(AT_IMPORTER) is None


def test_progress_does_not_drown_a_question_that_was_not_asked_yet(chain: Chain) -> None:
    quote = fact("quote.offered", IMPORTER, MONDAY + DAY, quote="q1", amount="85", currency="EUR")
    chain.given(OPENED, TO_IMPORTER, AT_IMPORTER, quote, TO_REPAIRER, AT_REPAIRER)
    asked = chain.planned(quote)
    assert asked.kind == "quote"
    assert chain.plan_for(AT_REPAIRER) is None
    assert chain.verdict_on(asked) == Send()


def test_once_the_question_was_asked_progress_is_news_again(chain: Chain) -> None:
    chain.given(OPENED, TO_IMPORTER, AT_IMPORTER)
    quote = fact("quote.offered", IMPORTER, MONDAY + DAY + HOUR / 2, quote="q1", amount="85", currency="EUR")
    chain.given(quote).told(quote)
    chain.given(TO_REPAIRER, AT_REPAIRER)
    assert kind_of(chain.plan_for(AT_REPAIRER)) == "received"


def test_an_answered_quote_is_not_asked_again(chain: Chain) -> None:
    chain.given(OPENED, QUOTE)
    asked = chain.planned(QUOTE)
    chain.given(fact("quote.accepted", SHOP, MONDAY + 2 * DAY + 2 * HOUR, quote="q1"))
    assert chain.verdict_on(asked) == Suppress("overtaken")


def test_a_repair_reported_after_the_watch_came_home_makes_it_ready(chain: Chain) -> None:
    chain.given(OPENED, TO_IMPORTER, AT_IMPORTER, HOMEWARD, HOME)
    chain.told(HOME)
    late = fact("repair.completed", REPAIRER, COMPLETED.time, recorded=HOME.time + HOUR)
    plan = chain.given(late).plan_for(late)
    assert plan is not None
    assert (plan.kind, plan.trigger_id) == ("ready", HOME.id)


def test_after_reopening_the_old_ending_is_forgotten(chain: Chain) -> None:
    chain.given(OPENED, TO_IMPORTER, AT_IMPORTER, COMPLETED, HOMEWARD, HOME, closed(MONDAY + 5 * DAY))
    again = [
        fact("order.reopened", SHOP, MONDAY + 6 * DAY),
        handed(SHOP, IMPORTER, MONDAY + 6 * DAY + HOUR),
        received(IMPORTER, MONDAY + 7 * DAY),
        handed(IMPORTER, SHOP, MONDAY + 7 * DAY + HOUR),
        received(SHOP, MONDAY + 8 * DAY),
    ]
    chain.given(*again[:3])
    assert kind_of(chain.plan_for(again[2])) == "received"
    chain.given(*again[3:])
    assert kind_of(chain.plan_for(again[4])) == "received"


def test_every_story_ends_in_words_whatever_the_order_in_which_its_facts_are_handled(chain: Chain) -> None:
    """Each fact handled as soon as it is recorded: she hears of every stage, once."""
    kinds = []
    for event in (OPENED, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER, AT_REPAIRER, QUOTE, COMPLETED, HOMEWARD, HOME):
        chain.given(event)
        if plan := chain.plan_for(event):
            message = chain.record(plan)
            assert chain.verdict_on(message) == Send()
            chain.sent(message)
            kinds.append(plan.kind)
    assert kinds == ["opened", "received", "received", "quote", "repaired", "ready"]


# -- the date of further news ---------------------------------------------------------------------------------------


def test_what_the_last_letter_named_is_known(chain: Chain) -> None:
    chain.given(OPENED)
    first = chain.plan_for(OPENED)
    assert first is not None
    assert first.news.named_before is None
    told = chain.told(OPENED)
    chain.given(TO_IMPORTER, AT_IMPORTER)
    second = chain.plan_for(AT_IMPORTER)
    assert second is not None
    assert second.news.named_before == told.planned.next_news_by
    # What was planned and did not leave has named nothing to her.
    chain.record(second)
    chain.given(COMPLETED)
    third = chain.plan_for(COMPLETED)
    assert third is not None
    assert third.news.named_before == told.planned.next_news_by


def test_a_last_letter_leaves_no_date_to_replace(chain: Chain) -> None:
    end = closed(MONDAY + HOUR)
    again = fact("order.reopened", SHOP, MONDAY + DAY, reason="it stopped")
    chain.given(OPENED)
    chain.told(OPENED)
    chain.given(end)
    chain.told(end)
    chain.given(again)
    plan = chain.plan_for(again)
    assert plan is not None
    assert (plan.kind, plan.news.named_before) == ("reopened", None)


@pytest.mark.parametrize(
    ("amount", "en", "nl"),
    [
        ("220.00", "We are sorry: the repair of your Halden Meridian costs more", "Het spijt ons: de reparatie van uw"),
        ("65.00", "Good news: the repair of your Halden Meridian costs less", "Goed nieuws: de reparatie van uw"),
        (QUOTE.data["amount"], "We now know what the repair of your", "We weten nu wat de reparatie van uw"),
    ],
)
def test_another_price_than_she_was_told_is_held_against_that(chain: Chain, amount: str, en: str, nl: str) -> None:
    chain.story(OPENED, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER, AT_REPAIRER)
    assert chain.tell(QUOTE) == "quote"
    again = fact("quote.offered", REPAIRER, QUOTE.time + DAY, "again", quote="q9", amount=amount, currency="EUR")
    plan = chain.given(again).plan_for(again)
    assert body_of(plan).startswith(en)
    assert body_of(plan, "nl").startswith(nl)
