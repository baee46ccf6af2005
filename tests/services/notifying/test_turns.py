"""Letters about several orders of one customer: the second one counts the first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from events.chain import MessagePlanned
from events.envelope import Event, make_event
from events.party import NOTIFIER
from services.messages import decide_plan
from services.notifying.records import MessagePlan
from services.notifying.turns import Turns
from services.notifying.waiting import AgainLaterError
from tests.services.notifying.chain import AT_IMPORTER, HOUR, OPENED, ORDER, PATIENCE, POLICY, TO_IMPORTER, Chain
from tests.services.notifying.post import Post, extra

ANNA, BEN, NOBODY = ("retailer:juno", "C-77"), ("retailer:juno", "C-78"), ("retailer:juno", None)
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def test_one_customer_has_one_turn_at_a_time_and_others_do_not_wait() -> None:
    turns = Turns()
    lock = turns.of(ANNA)
    assert turns.of(ANNA) is lock
    assert turns.of(BEN) is not lock
    assert turns.of(NOBODY) is not turns.of(NOBODY)


def test_who_decides_has_to_know_of_the_letter_that_left_just_now() -> None:
    turns = Turns()
    assert turns.knows(ANNA, {"letters": []})
    turns.took(ANNA, 42, NOON)
    assert turns.last(ANNA) == 42
    assert not turns.knows(ANNA, {"letters": [(NOON - timedelta(hours=1)).isoformat()]})
    assert turns.knows(ANNA, {"letters": [NOON.isoformat()]})
    assert turns.knows(BEN, {"letters": []})


def test_what_nobody_waits_for_is_forgotten() -> None:
    async def main() -> int:
        turns = Turns()
        async with turns.of(ANNA):
            pass
        return len(turns._locks)

    assert asyncio.run(main()) == 0


def other(event: Event) -> Event:
    """The same of another order of hers."""
    return event.model_copy(update={"subject": "W-2"})


def planned(plan: MessagePlan) -> Event:
    data = MessagePlanned(
        message=plan.message,
        kind=plan.kind,
        trigger_source=plan.trigger_source,
        trigger_id=plan.trigger_id,
        language="en",
        channel="email",
        subject="…",
        body="…",
        next_news_by=plan.next_news_by,
    )
    id = f"planned:{plan.message}"
    return make_event(
        "message.planned", source=NOTIFIER, id=id, subject=plan.order, time=plan.now, recordedtime=plan.now, data=data
    )


def two_at_once(chain: Chain, before: int) -> dict[str, str]:
    """The messages that are planned about two orders of one customer, who had ``before`` letters that day; by order."""
    chain.given(OPENED, TO_IMPORTER, other(OPENED), other(TO_IMPORTER))
    first = chain.planned(OPENED)
    for number in range(before):
        chain.sent(extra(chain, first, f"msg-{number}"), AT_IMPORTER.time - HOUR)
    chain.sent(first, AT_IMPORTER.time - 20 * HOUR)  # of another day
    arrived = (AT_IMPORTER, other(AT_IMPORTER))
    chain.given(*arrived)
    messages = {}
    for event in arrived:
        timeline = chain.query("timeline", {"order": event.subject, "raw": True})
        plan = decide_plan(event, timeline, POLICY, chain.clock.now())
        assert plan is not None
        chain.add(planned(plan))
        messages[event.subject] = plan.message
    chain.clock.set(chain.clock.now() + PATIENCE)
    return messages


async def test_two_orders_that_send_at_once_do_not_send_one_letter_too_many(chain: Chain) -> None:
    messages = two_at_once(chain, 3)
    post = Post(chain)
    sender = post.sender()
    # Both have been asked for before either letter leaves, and count three of four.
    timelines = {order: await sender.timeline(order) for order in messages}
    assert {len(each["letters"]) for each in timelines.values()} == {4}
    await sender.deliver(ORDER, messages[ORDER], timelines[ORDER])
    with pytest.raises(AgainLaterError) as later:
        await sender.deliver("W-2", messages["W-2"], timelines["W-2"])
    assert later.value.delay > 10 * 3_600
    assert len(post.box.sent) == 1
