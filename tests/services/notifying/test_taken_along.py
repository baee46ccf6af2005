"""Messages that go in the letter of another, when that letter fails, is told in yet another, or changes in between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifying.claims import Claims
from services.notifying.outcomes import Failed, Unknown
from services.notifying.records import PlannedMessage, Send, Suppress
from services.notifying.waiting import AgainLaterError
from tests.services.notifying.chain import OPENED, ORDER, QUOTE, Chain
from tests.services.notifying.post import Post, always_true, extra

DOWN = Failed("ConnectionRefusedError")


@pytest.fixture(autouse=True)
def _all_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifying.gathering.decide_delivery", always_true)


@pytest.fixture
def post(chain: Chain) -> Post:
    return Post(chain)


@pytest.fixture
def first(chain: Chain) -> PlannedMessage:
    """The first of several that are due at the same moment."""
    chain.given(OPENED).told(OPENED)
    chain.given(QUOTE)
    chain.clock.set(QUOTE.time)
    return chain.planned(QUOTE)


async def fails(post: Post, message: str, *, lease: float = 0.0) -> float:
    """Try ``message`` while it cannot leave; after how long it comes up again."""
    with pytest.raises(AgainLaterError) as later:
        await post.sender(lease).deliver(ORDER, message)
    return later.value.delay


def wait(chain: Chain, seconds: float) -> None:
    chain.clock.set(chain.clock.now() + timedelta(seconds=seconds))


async def test_news_of_later_takes_all_along_whose_letter_did_not_leave(
    chain: Chain, post: Post, first: PlannedMessage
) -> None:
    second = extra(chain, first, "msg-second")
    post.box.answers = [DOWN]
    await fails(post, second.message)
    third = extra(chain, first, "msg-third")
    ended = await post.sender().deliver(ORDER, third.message)
    assert ended == {first.message, second.message, third.message}
    sent = {event.data["message"]: event.data.get("letter") for event in chain.named("message.sent")}
    assert {each: sent[each] for each in ended} == {
        first.message: third.message,
        second.message: third.message,
        third.message: None,
    }
    assert len(post.box.sent) == 1


async def test_what_was_not_in_the_letter_is_not_said_to_have_been(
    chain: Chain, post: Post, first: PlannedMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = extra(chain, first, "msg-second")
    post.box.answers = [DOWN]
    delay = await fails(post, second.message)

    def overtaken(message: PlannedMessage, *_: object) -> Send | Suppress:
        return Suppress("overtaken") if message.message == first.message else Send()

    monkeypatch.setattr("services.notifying.gathering.decide_delivery", overtaken)
    wait(chain, delay)
    await post.sender().deliver(ORDER, second.message)
    await post.sender().deliver(ORDER, first.message)
    assert (post.fates[first.message], post.fates[second.message]) == ("suppressed", "sent")


async def test_a_letter_that_waits_is_not_tried_sooner_for_the_others_in_it(
    chain: Chain, post: Post, first: PlannedMessage
) -> None:
    second = extra(chain, first, "msg-second")
    post.box.answers = [DOWN]
    assert await fails(post, first.message) == 5.0
    assert await fails(post, second.message) == 5.0
    wait(chain, 2)
    # Neither does another process that knows nothing of the pause, nor are they looked at every few seconds.
    assert [await fails(post, each.message, lease=1.0) for each in (first, second)] == [3.0, 3.0]
    assert post.box.attempts == 1
    wait(chain, 3)
    assert await post.sender().deliver(ORDER, first.message) == {first.message, second.message}


async def test_a_pause_that_a_wrong_clock_wrote_is_none(chain: Chain, post: Post, first: PlannedMessage) -> None:
    claims = Claims(post.bucket)
    mine = await claims.take(await claims.look(first.message))
    assert mine is not None
    await claims.settle(mine, "released", until=chain.clock.now() + timedelta(days=900))
    await post.sender().deliver(ORDER, first.message)
    assert post.fates[first.message] == "sent"


async def test_of_an_attempt_that_died_only_those_are_unknown_that_it_had_taken_along(
    chain: Chain, post: Post, first: PlannedMessage
) -> None:
    second = extra(chain, first, "msg-second")
    claims = Claims(post.bucket)
    lead = await claims.look(second.message)
    object.__setattr__(lead, "others", (first.message,))
    assert await claims.take(lead) is not None  # and here it died, before it had claimed the other
    assert await post.sender().deliver(ORDER, second.message) == {second.message}
    await post.sender().deliver(ORDER, first.message)
    assert (post.fates[first.message], post.fates[second.message]) == ("sent", "unknown")


async def test_when_a_letter_fails_for_good_so_has_what_was_in_it(
    chain: Chain, post: Post, first: PlannedMessage
) -> None:
    second = extra(chain, first, "msg-second")
    post.box.answers = [Failed("smtp_550", again=False)]
    assert await post.sender().deliver(ORDER, first.message) == {first.message, second.message}
    assert [post.fates[each.message] for each in (first, second)] == ["failed", "failed"]


async def test_of_two_letters_one_takes_a_third_along(chain: Chain, post: Post, first: PlannedMessage) -> None:
    """Another notifier calls with the first message in its letter while this one has it in a newer one."""
    second = extra(chain, first, "msg-second")
    post.box.answers = [DOWN]
    delay = await fails(post, second.message)
    wait(chain, delay)
    later: list[frozenset[str]] = []

    async def another_notifier_has_newer_news(_: str) -> None:
        post.box.meanwhile = None
        third = extra(chain, first, "msg-third")
        later.append(await post.sender(1_000.0).deliver(ORDER, third.message))

    post.box.meanwhile = another_notifier_has_newer_news
    assert await post.sender(1_000.0).deliver(ORDER, second.message) == {first.message, second.message}
    assert later == [frozenset({"msg-third"})]
    assert len(post.box.sent) == 2
    sent = [event.data["message"] for event in chain.named("message.sent")]
    assert len(sent) == len(set(sent))


async def test_nobody_knows_of_what_another_takes_for_dead(chain: Chain, post: Post, first: PlannedMessage) -> None:
    second = extra(chain, first, "msg-second")
    post.box.answers = [Unknown("SMTPServerDisconnected")]
    await post.sender().deliver(ORDER, second.message)
    third = extra(chain, first, "msg-third")
    assert await post.sender().deliver(ORDER, third.message) == {third.message}
    assert [post.fates[each.message] for each in (first, second, third)] == ["unknown", "unknown", "sent"]
