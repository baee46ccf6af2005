"""She was told something that was not so: she is told that, plainly, and how it is."""

from __future__ import annotations

import pytest

from events.envelope import Event
from services.notifying.records import Send, Suppress
from tests.services.notifying.chain import (
    AT_IMPORTER,
    AT_REPAIRER,
    COMPLETED,
    DAY,
    HOME,
    HOMEWARD,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    QUOTE,
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

OUT = (OPENED, TO_IMPORTER, AT_IMPORTER)
LATER = MONDAY + 4 * DAY


def tell(chain: Chain, *events: Event) -> list[str | None]:
    return [chain.tell(event) for event in events]


@pytest.mark.parametrize(
    ("story", "wrong", "english", "dutch"),
    [
        (OUT, AT_IMPORTER, "that your Halden Meridian had arrived at the service centre", "was aangekomen"),
        ((*OUT, COMPLETED), COMPLETED, "that your Halden Meridian had been repaired", "was gerepareerd"),
        ((*OUT, QUOTE), QUOTE, "what the repair of your Halden Meridian would cost", "zou kosten"),
        ((OPENED, closed(MONDAY + DAY)), closed(MONDAY + DAY), "had ended", "was geëindigd"),
    ],
)
def test_what_she_was_told_is_taken_back_with_how_it_stands(
    chain: Chain, story: tuple[Event, ...], wrong: Event, english: str, dutch: str
) -> None:
    chain.story(*story[:-1])
    chain.tell(story[-1])
    chain.given(mistake := corrected(wrong, LATER))
    plan = chain.plan_for(mistake)
    assert kind_of(plan) == "corrected"
    first = body_of(plan).split("\n\n")[0]
    assert first.startswith("On ")
    assert f"{english}. That was not right, and we are sorry." in first
    assert dutch in body_of(plan, "nl")
    assert "Where it stands: " in body_of(plan)
    assert "by Friday 13 November at 17:00 at the latest" in body_of(plan)


def test_it_is_said_once(chain: Chain) -> None:
    chain.story(*OUT)
    chain.tell(COMPLETED)
    mistake = corrected(COMPLETED, LATER)
    assert chain.tell(mistake) == "corrected"
    assert chain.plan_for(mistake) is None
    (silence,) = chain.falls_overdue("update", LATER + 9 * DAY)
    plan = chain.plan_for(silence)
    assert plan is not None
    assert (plan.kind, plan.corrects) == ("update", ())


def test_what_she_was_never_told_is_not_taken_back(chain: Chain) -> None:
    part = fact("part.arrived", IMPORTER, MONDAY + DAY + HOUR, part="crown")
    chain.story(*OUT, part)
    assert chain.tell(corrected(part, LATER)) is None


def test_the_right_fact_says_that_it_takes_the_place_of_the_wrong_one(chain: Chain) -> None:
    chain.story(*OUT, QUOTE)
    right = fact("quote.offered", REPAIRER, LATER, id="q9", quote="q2", amount="95.00", currency="EUR")
    mistake = corrected(QUOTE, LATER, reason="incorrect_data", replaced_by=["q9"])
    chain.given(mistake, right)
    assert chain.plan_for(mistake) is None  # the right price is about to be told, and says so
    plan = chain.plan_for(right)
    assert kind_of(plan) == "quote"
    assert body_of(plan).startswith("This message takes the place of the one that we sent you on Wednesday 4 November")
    assert "€95.00" in body_of(plan)
    message = chain.record(plan) if plan else None
    assert message is not None
    assert chain.verdict_on(message) == Send()
    chain.sent(message)
    assert chain.plan_for(mistake) is None


def test_the_right_price_that_is_timed_before_the_wrong_one_is_told_once_that_is_taken_back(chain: Chain) -> None:
    earlier = fact("quote.offered", REPAIRER, QUOTE.time - HOUR, id="q8", quote="q2", amount="95.00", currency="EUR")
    assert tell(chain, *OUT, QUOTE, earlier)[-2:] == ["quote", None]
    chain.given(mistake := corrected(QUOTE, LATER + HOUR, reason="incorrect_data", replaced_by=["q8"]))
    assert kind_of(chain.plan_for(mistake)) == "quote"


def test_whoever_has_read_the_right_price_beside_the_wrong_one_is_not_told_of_the_mistake_again(chain: Chain) -> None:
    """A minute after the right price a letter said that the first had been wrong, and that she had not answered."""
    right = fact("quote.offered", REPAIRER, LATER, id="q9", quote="q2", amount="95.00", currency="EUR")
    assert tell(chain, *OUT, QUOTE)[-1] == "quote"
    plan = chain.given(right).plan_for(right)
    assert "€95.00 instead of €85.00" in body_of(plan)
    assert plan is not None
    chain.sent(chain.record(plan))
    assert chain.tell(corrected(QUOTE, LATER + HOUR, reason="incorrect_data", replaced_by=["q9"])) is None
    assert chain.tell(corrected(right, LATER + 2 * HOUR)) == "corrected"


def test_a_clock_that_was_wrong_is_nothing_to_write_about(chain: Chain) -> None:
    chain.story(*OUT)
    right = fact("item.received", IMPORTER, AT_IMPORTER.time - HOUR, id="r9", recorded=LATER)
    mistake = corrected(AT_IMPORTER, LATER, reason="incorrect_data", replaced_by=["r9"])
    chain.given(mistake, right)
    assert [chain.plan_for(event) for event in (mistake, right)] == [None, None]
    assert tell(chain, TO_REPAIRER, AT_REPAIRER) == [None, "received"]


def test_what_was_taken_back_and_then_said_again_is_told_again(chain: Chain) -> None:
    chain.story(*OUT)
    right = fact("item.received", IMPORTER, AT_IMPORTER.time - HOUR, id="r9", recorded=LATER)
    mistake = corrected(AT_IMPORTER, LATER, reason="incorrect_data", replaced_by=["r9"])
    assert tell(chain, mistake, right) == ["corrected", "received"]


def test_a_correction_that_was_itself_wrong_is_taken_back_too(chain: Chain) -> None:
    chain.story(*OUT)
    chain.tell(COMPLETED)
    mistake = corrected(COMPLETED, LATER, id="c1")
    assert chain.tell(mistake) == "corrected"
    chain.given(second := corrected(mistake, LATER + HOUR, id="c2"))
    plan = chain.plan_for(second)
    assert kind_of(plan) == "corrected"
    assert "we wrote to you that an earlier message of ours had been wrong. That was not right" in body_of(plan)
    assert "your Halden Meridian has been repaired, and it comes back to us next" in body_of(plan)


def test_a_correction_that_was_taken_back_before_it_left_is_not_told(chain: Chain) -> None:
    chain.story(*OUT, COMPLETED)
    mistake = corrected(COMPLETED, LATER, id="c1")
    message = chain.given(mistake).planned(mistake)
    chain.given(corrected(mistake, LATER + HOUR, id="c2"))
    assert chain.verdict_on(message) == Suppress("corrected")


def test_a_delay_of_something_that_was_never_sent_off_is_taken_back(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER)
    (overdue,) = chain.falls_overdue("receive", MONDAY + 3 * DAY)
    chain.told(overdue)
    chain.given(mistake := corrected(TO_IMPORTER, LATER))
    plan = chain.plan_for(mistake)
    assert kind_of(plan) == "corrected"
    assert "that there was a delay with your Halden Meridian. That was not right" in body_of(plan)
    assert "we have the repair of your Halden Meridian in hand, and are seeing to the next step" in body_of(plan)


def test_of_a_closed_order_only_the_last_word_is_put_right(chain: Chain) -> None:
    chain.story(*OUT, COMPLETED, HOMEWARD, HOME)
    assert tell(chain, closed(LATER)) == [None]
    assert chain.tell(corrected(AT_IMPORTER, LATER + HOUR)) is None
    chain.given(mistake := corrected(HOME, LATER + HOUR))
    plan = chain.plan_for(mistake)
    assert plan is not None
    assert (plan.kind, plan.next_news_by) == ("closed", None)
    assert "that your Halden Meridian was back with us. That was not right" in body_of(plan)
    assert "Your Halden Meridian has been repaired, and our work on it is done." in body_of(plan)
    assert "You will hear from us when it is here." in body_of(plan)


def test_a_mistake_that_no_message_of_its_own_admits_is_admitted_by_the_next(chain: Chain) -> None:
    chain.story(*OUT, COMPLETED)
    chain.given(corrected(COMPLETED, LATER))
    (silence,) = chain.falls_overdue("update", LATER + 9 * DAY)
    plan = chain.plan_for(silence)
    assert plan is not None
    assert plan.corrects
    assert body_of(plan).startswith(
        "On Thursday 5 November we wrote to you that your Halden Meridian had been repaired."
    )


def test_it_takes_back_nothing_in_another_partys_name(chain: Chain) -> None:
    chain.story(*OUT)
    foreign = fact("fact.corrected", SHOP, LATER, fact_id=AT_IMPORTER.id, reason="did_not_occur")
    assert chain.tell(foreign) is None
