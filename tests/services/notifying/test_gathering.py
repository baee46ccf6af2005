"""One letter for all that waited for the same moment: held at night, merged in the morning, nothing told twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.chain import MessagePlanned
from events.envelope import Event
from services.contact import Contact
from services.notifying.gathering import Gathered, Hold, Reach, gather, pending
from services.notifying.outcomes import Failed, Unknown
from services.notifying.records import PlannedMessage, Suppress, SuppressReason
from services.notifying.waiting import AgainLaterError
from tests.services.notifying.chain import (
    AT_IMPORTER,
    AT_REPAIRER,
    COMPLETED,
    DAY,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    ORDER,
    PATIENCE,
    POLICY,
    QUOTE,
    REPAIRER,
    SHOP,
    TO_IMPORTER,
    TO_REPAIRER,
    Chain,
    body_of,
    closed,
    fact,
    opened,
    received,
)
from tests.services.notifying.post import ANNA, TWO_WAYS, Post, always_true, extra

#: Half past ten in the evening, in Amsterdam.
EVENING = MONDAY.replace(hour=21, minute=30)
MORNING = (MONDAY + DAY).replace(hour=7, minute=0)

MINUTE = timedelta(minutes=1)
WINDOW: Any = {"from": (MONDAY + 2 * DAY).isoformat(), "until": (MONDAY + 2 * DAY + HOUR).isoformat()}

QUESTION = fact("question.asked", REPAIRER, EVENING, question="k1", text="How long does it run?", to="customer")


def plan(chain: Chain, trigger: Event, kind: str | None = None) -> PlannedMessage:
    """Plan what ``trigger`` causes, whatever else waits."""
    message = chain.planned(trigger)
    assert kind in (None, message.kind)
    return message


def look(chain: Chain, message: PlannedMessage, contact: Contact = ANNA) -> Gathered | Hold | Suppress | None:
    return gather(message.message, timeline(chain), Reach(contact), POLICY, chain.clock.now())


def timeline(chain: Chain) -> dict[str, object]:
    since = (chain.clock.now() - timedelta(hours=36)).isoformat()
    return dict(chain.query("histories", {"orders": [ORDER], "letters_since": since})["histories"][ORDER])


def test_by_day_it_goes_out_at_once(chain: Chain) -> None:
    message = plan(chain.given(OPENED), OPENED)
    assert look(chain, message) == Gathered(message)


@pytest.mark.parametrize(("ahead", "waits"), [(HOUR, False), (3 * HOUR, True)])
def test_of_a_visit_that_begins_soon_she_hears_without_a_wait(chain: Chain, ahead: timedelta, waits: bool) -> None:
    chain.given(OPENED).told(OPENED)
    said = MONDAY + HOUR
    window: Any = {"from": (said + ahead).isoformat(), "until": (said + ahead + HOUR).isoformat()}
    visit = fact("visit.scheduled", SHOP, said, visit="v", **window)
    message = plan(chain.given(visit), visit, "visit")
    found = look(chain, message)
    assert isinstance(found, Hold) if waits else found == Gathered(message)


def test_at_night_it_waits_for_the_morning(chain: Chain) -> None:
    chain.given(OPENED).told(OPENED)
    message = plan(chain.given(QUESTION), QUESTION, "question")
    assert look(chain, message) == Hold(MORNING)
    assert look(chain, message, ANNA.model_copy(update={"quiet": "never"})) == Gathered(message)
    chain.clock.set(MORNING)
    assert look(chain, message) == Gathered(message)


def test_what_is_urgent_does_not_wait(chain: Chain) -> None:
    urgent = opened(urgency="urgent")
    chain.given(urgent).told(urgent)
    message = plan(chain.given(QUESTION), QUESTION)
    assert look(chain, message) == Gathered(message)


def test_beyond_so_many_letters_it_waits_for_the_next_morning(chain: Chain) -> None:
    chain.given(OPENED).told(OPENED)
    for count in range(3):
        chain.clock.set(MONDAY + HOUR * (count + 1) / 10)
        chain.sent(extra(chain, PlannedMessage(ORDER, plan_of(chain)), f"msg-{count}"))
    chain.clock.set(MONDAY + HOUR)
    question = fact("question.asked", REPAIRER, MONDAY + HOUR, question="k1", text="Which?", to="customer")
    message = plan(chain.given(question), question)
    assert look(chain, message) == Hold(MORNING)


def plan_of(chain: Chain) -> MessagePlanned:
    return PlannedMessage.of(chain.named("message.planned")[0]).planned


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        (ANNA.model_copy(update={"not_told": ("question",)}), "not_wanted"),
    ],
)
def test_her_wishes_are_kept_and_the_log_says_why(chain: Chain, contact: Contact, reason: str) -> None:
    chain.given(OPENED).told(OPENED)
    message = plan(chain.given(QUESTION), QUESTION)
    assert look(chain, message, contact) == Suppress(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize("unable", ["no_contact", "no_channel", "forgotten"])
def test_where_she_cannot_be_reached_the_log_says_why(chain: Chain, unable: SuppressReason) -> None:
    message = plan(chain.given(OPENED), OPENED)
    verdict = gather(message.message, timeline(chain), Reach(Contact(), unable), POLICY, chain.clock.now())
    assert verdict == Suppress(unable)


def test_a_pause_keeps_all_from_her_but_what_she_must_decide(chain: Chain) -> None:
    paused = ANNA.model_copy(update={"paused_until": EVENING + DAY, "quiet": "never"})
    message = plan(chain.given(OPENED), OPENED)
    assert look(chain, message, paused) == Suppress("paused")
    chain.sent(message)
    question = plan(chain.given(QUESTION), QUESTION, "question")
    assert look(chain, question, paused) == Gathered(question)


def test_a_pause_that_is_over_is_none(chain: Chain) -> None:
    message = plan(chain.given(OPENED), OPENED)
    assert look(chain, message, ANNA.model_copy(update={"paused_until": MONDAY})) == Gathered(message)


# -- progress waits for more ------------------------------------------------------------------------------------------

#: It was mended, and four minutes later it is back at the shop.
BACK = received(SHOP, COMPLETED.time + 4 * MINUTE)


@pytest.fixture
def mended(chain: Chain) -> Chain:
    chain.story(OPENED, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER, AT_REPAIRER)
    return chain.given(COMPLETED)


def test_repaired_and_ready_within_minutes_are_one_letter(mended: Chain) -> None:
    repaired = plan(mended, COMPLETED, "repaired")
    until = COMPLETED.time + PATIENCE
    assert look(mended, repaired) == Hold(until, for_more=True)
    ready = plan(mended.given(BACK), BACK, "ready")
    assert look(mended, repaired) == Suppress("overtaken")
    assert look(mended, ready) == Hold(BACK.time + PATIENCE, for_more=True)
    mended.clock.set(BACK.time + PATIENCE)
    assert look(mended, ready) == Gathered(ready)


def test_that_letter_says_both(mended: Chain) -> None:
    mended.planned(COMPLETED)
    body = body_of(mended.given(BACK).plan_for(BACK))
    assert "has been repaired and is back with us" in body


def test_repaired_and_closed_within_minutes_are_one_letter_that_says_what_was_done(chain: Chain) -> None:
    done = fact("repair.completed", REPAIRER, MONDAY + HOUR, summary="fan replaced")
    chain.given(OPENED).told(OPENED)
    plan(chain.given(done), done, "repaired")
    end = closed(MONDAY + HOUR + 4 * MINUTE)
    assert "What was done: “fan replaced”." in body_of(chain.given(end).plan_for(end))
    # Whoever has read that need not read it twice.
    chain.sent(PlannedMessage.of(chain.named("message.planned")[-1]))
    assert "What was done" not in body_of(chain.plan_for(end))


def test_nobody_else_to_wait_for_and_it_leaves_a_few_minutes_later(mended: Chain) -> None:
    repaired = plan(mended, COMPLETED)
    mended.clock.set(COMPLETED.time + PATIENCE - MINUTE)
    assert isinstance(look(mended, repaired), Hold)
    mended.clock.set(COMPLETED.time + PATIENCE)
    assert look(mended, repaired) == Gathered(repaired)


@pytest.mark.parametrize(("named", "waits"), [(3 * MINUTE, False), (20 * MINUTE, True)])
def test_it_does_not_wait_beyond_the_date_that_was_named(chain: Chain, named: timedelta, waits: bool) -> None:
    visit = fact("visit.scheduled", REPAIRER, MONDAY + HOUR, visit="v", **WINDOW)
    chain.given(OPENED).told(OPENED, named=visit.time + named)
    message = plan(chain.given(visit), visit, "visit")
    assert isinstance(look(chain, message), Hold) is waits


def test_what_leaves_at_once_takes_along_what_waits(chain: Chain) -> None:
    chain.given(OPENED).told(OPENED)
    visit = fact("visit.scheduled", REPAIRER, MONDAY + HOUR, visit="v", **WINDOW)
    waits = plan(chain.given(visit), visit, "visit")
    assert isinstance(look(chain, waits), Hold)
    asked = fact("question.asked", REPAIRER, MONDAY + HOUR + MINUTE, question="k1", text="Which floor?", to="customer")
    question = plan(chain.given(asked), asked, "question")
    assert look(chain, question) == look(chain, waits) == Gathered(question, (waits,))


def test_a_question_waits_for_nothing(chain: Chain) -> None:
    chain.given(OPENED).told(OPENED)
    question = plan(chain.given(QUOTE), QUOTE, "quote")
    assert look(chain, question) == Gathered(question)


def test_a_wait_that_would_end_in_the_night_is_none(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER)
    late = received(IMPORTER, EVENING - 95 * MINUTE)  # five minutes to nine
    message = plan(chain.given(late), late, "received")
    assert look(chain, message) == Gathered(message)


async def test_a_wait_survives_whoever_waited(mended: Chain) -> None:
    repaired = plan(mended, COMPLETED)
    post = Post(mended)
    with pytest.raises(AgainLaterError) as later:
        await post.sender().deliver(ORDER, repaired.message)
    assert later.value.delay == PATIENCE.total_seconds()
    # Of another process, later than that: what it needs to know is in the log.
    mended.clock.set(COMPLETED.time + PATIENCE)
    assert await post.sender().deliver(ORDER, repaired.message) == {repaired.message}
    assert len(post.box.sent) == 1


# -- sending ----------------------------------------------------------------------------------------------------------


def two_that_wait(chain: Chain) -> tuple[PlannedMessage, PlannedMessage]:
    """A quote, and a second message that is due at the same moment."""
    chain.given(OPENED).told(OPENED)
    chain.given(QUOTE)
    chain.clock.set(QUOTE.time)
    first = plan(chain, QUOTE, "quote")
    return first, extra(chain, first, "msg-second")


async def test_two_that_are_due_go_in_one_letter(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is due together is decided elsewhere; here both are true.
    monkeypatch.setattr("services.notifying.gathering.decide_delivery", always_true)
    first, second = two_that_wait(chain)
    post = Post(chain)
    assert await post.sender().deliver(ORDER, first.message) == {first.message, second.message}
    (letter,) = post.box.sent
    assert letter.message == second.message
    assert [post.fates[each.message] for each in (first, second)] == ["sent", "sent"]
    sent = {event.data["message"]: event.data for event in chain.named("message.sent")}
    assert sent[first.message]["letter"] == second.message
    assert "letter" not in sent[second.message]
    # Each of them is done with.
    await post.sender().deliver(ORDER, second.message)
    assert post.box.attempts == 1


async def test_what_is_repeated_tells_the_same(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifying.gathering.decide_delivery", always_true)
    first, second = two_that_wait(chain)
    post = Post(chain)
    post.box.answers = [Failed("smtp_451")]
    with pytest.raises(AgainLaterError) as later:
        await post.sender().deliver(ORDER, first.message)
    assert later.value.delay == 5.0
    chain.clock.set(chain.clock.now() + timedelta(seconds=5))
    await post.sender().deliver(ORDER, second.message)
    assert [letter.message for letter in post.box.sent] == [second.message]
    assert [post.fates[each.message] for each in (first, second)] == ["sent", "sent"]


async def test_of_a_letter_with_two_nobody_knows_the_fate_of_either(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifying.gathering.decide_delivery", always_true)
    first, second = two_that_wait(chain)
    post = Post(chain)
    post.box.answers = [Unknown("SMTPServerDisconnected")]
    await post.sender().deliver(ORDER, second.message)
    assert [post.fates[each.message] for each in (first, second)] == ["unknown", "unknown"]
    assert post.notices == [SHOP, SHOP]


async def test_her_next_channel_is_tried_when_one_fails_for_good(chain: Chain) -> None:
    message = plan(chain.given(OPENED), OPENED)
    post = Post(chain, contact=TWO_WAYS)
    post.box.answers = [Failed("smtp_550", again=False)]
    await post.sender().deliver(ORDER, message.message)
    assert [letter.kind for letter in post.box.sent] == ["sms"]
    attempts = [
        (event.data["attempt"], event.data["channel"], event.data.get("after"))
        for event in chain.named("message.attempted")
    ]
    assert attempts == [(1, "email", None), (2, "sms", "smtp_550")]
    assert chain.named("message.sent")[0].data["channel"] == "sms"


async def test_when_no_channel_takes_it_a_person_has_to(chain: Chain) -> None:
    message = plan(chain.given(OPENED), OPENED)
    post = Post(chain, contact=TWO_WAYS)
    post.box.answers = [Failed("smtp_550", again=False), Failed("not_a_number", again=False)]
    await post.sender().deliver(ORDER, message.message)
    assert post.fates == {message.message: "failed"}
    assert chain.named("message.failed")[0].data["reason"] == "not_a_number"
    assert post.notices == [SHOP]


# -- two at once ------------------------------------------------------------------------------------------------------


async def test_of_two_notifiers_one_calls(chain: Chain) -> None:
    message = plan(chain.given(OPENED), OPENED)
    post = Post(chain)
    frozen = Frozen(post)
    # The first has taken its claim and stands still in the middle of the call.
    post.box.meanwhile = frozen.second_notifier_looks
    await post.sender(lease=1_000.0).deliver(ORDER, message.message)
    assert frozen.heard == "again later"
    assert post.box.attempts == 1
    assert post.fates == {message.message: "sent"}


async def test_one_that_was_frozen_past_its_lease_changes_nothing_any_more(chain: Chain) -> None:
    message = plan(chain.given(OPENED), OPENED)
    post = Post(chain, forgiving=True)
    frozen = Frozen(post, lease=0.0)
    post.box.meanwhile = frozen.second_notifier_looks
    await post.sender(lease=1_000.0).deliver(ORDER, message.message)
    assert frozen.heard == "sent"
    assert len(post.box.sent) == 1
    assert post.fates == {message.message: "sent"}


async def test_where_a_repeat_would_reach_her_twice_it_is_parked(chain: Chain) -> None:
    message = plan(chain.given(OPENED), OPENED)
    post = Post(chain)
    post.box.meanwhile = Frozen(post, lease=0.0).second_notifier_looks
    await post.sender(lease=1_000.0).deliver(ORDER, message.message)
    assert post.box.attempts == 1
    # The first word in the log stands, and it was said while nobody could know.
    assert chain.named("message.unknown")[0].id == chain.named("message.sent")[0].id


class Frozen:
    """Another notifier that comes by while the first is at its call."""

    def __init__(self, post: Post, lease: float = 1_000.0) -> None:
        self.post, self.lease, self.heard = post, lease, ""

    async def second_notifier_looks(self, message: str) -> None:
        self.post.box.meanwhile = None
        try:
            await self.post.sender(self.lease).deliver(ORDER, message)
        except AgainLaterError:
            self.heard = "again later"
        else:
            self.heard = "sent"


def test_what_is_pending_is_what_has_no_outcome(chain: Chain) -> None:
    chain.given(OPENED).told(OPENED)
    message = plan(chain.given(QUESTION), QUESTION)
    assert list(pending(timeline(chain))) == [message.message]
