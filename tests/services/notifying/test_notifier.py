"""The notifier on a real server: durable, in order, back after trouble, and silent about an old log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from nats.js.api import ConsumerConfig

from events import log, names
from events.chain import commitment_id
from events.envelope import Event, make_event
from events.party import NOTIFIER, WATCHDOG
from events.streams import declare_streams
from events.subjects import customer_key, notices_subject
from services.delivery import AppriseDelivery
from services.notices import Notice, send_notice
from services.notifier import Notifier, filter_subjects
from services.notifying.coming_up import ComingUp
from services.notifying.letter import Letter
from services.notifying.outcomes import Failed, Outcome
from services.notifying.places import DayPlace
from services.notifying.taking import Taking
from tests.chainserver import ChainServer, refusals
from tests.services.notifying.chain import (
    DAY,
    IMPORTER,
    MONDAY,
    OPENED,
    ORDER,
    SHOP,
    TO_IMPORTER,
    Chain,
    received,
)
from tests.services.notifying.desk import CONTACT
from tests.services.notifying.street import GARBAGE, Street
from tests.waiting import eventually


@pytest.fixture
async def street(chain_server: ChainServer, chain: Chain, tmp_path: Path) -> AsyncIterator[Street]:
    connection = await chain_server.connect("keeper")
    js = connection.jetstream()
    await declare_streams(js)
    customers = await js.key_value(names.CUSTOMERS)
    await customers.put(customer_key(SHOP, "C-77"), CONTACT.model_dump_json().encode())
    yield Street(chain_server, js, chain, tmp_path / "outbox")
    assert refusals(chain_server.home) == []


async def test_a_stop_leaves_the_rest_of_a_batch_to_whoever_comes_next(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier._ACK_WAIT", 300.0)  # what is not given back does not come again here
    await street.said(OPENED, TO_IMPORTER, received(IMPORTER, MONDAY + DAY))
    handled: list[str] = []
    handle = Taking._take

    async def take(taking: Taking, raw: Any) -> float | None:
        handled.append(raw.subject)
        taking.stopping = True
        return await handle(taking, raw)

    with monkeypatch.context() as patch:
        patch.setattr(Taking, "_take", take)
        async with street.notifying():

            async def begun() -> bool:
                return bool(handled)

            await eventually(begun)
    assert len(handled) == 1
    async with street.notifying() as notifier:
        await street.waited(notifier)
    assert len(await street.events("message.sent")) == len(street.letters) >= 1
    info = await street.js.consumer_info(names.REPAIRS, names.NOTIFIER_DURABLE)
    assert (info.num_pending, info.num_ack_pending) == (0, 0)


async def test_from_the_log_to_the_outbox(street: Street) -> None:
    async with street.notifying() as notifier:
        await street.said(OPENED)
        await street.quiet()
        assert await notifier.check() == "0 to read, 0 under way, 0 to send later"
    assert street.letters == ["Uw Halden Meridian: zo gaat het verder"]
    assert len(await street.events("message.planned")) == 1
    assert len(await street.events("message.sent")) == 1


async def test_what_happened_while_it_was_away_is_told_once_it_is_back(street: Street) -> None:
    async with street.notifying():
        pass
    await street.said(OPENED)
    for _ in range(2):
        async with street.notifying():
            await street.quiet()
    assert len(street.letters) == 1
    assert len(await street.events("message.sent")) == 1


async def test_a_lost_place_in_the_log_repeats_nothing(street: Street) -> None:
    """The durable consumer is deleted, as by an operator: everything comes again."""
    async with street.notifying():
        await street.said(OPENED)
        await street.quiet()
    await street.js.delete_consumer(names.REPAIRS, names.NOTIFIER_DURABLE)
    async with street.notifying():
        await street.quiet()
    assert len(street.letters) == 1
    assert len(await street.events("message.planned")) == 1
    assert len(await street.events("message.sent")) == 1


async def test_a_projector_that_is_away_is_waited_for(street: Street) -> None:
    street.trouble = 2
    async with street.notifying():
        await street.said(OPENED)
        await street.quiet()
    assert len(street.letters) == 1


async def test_an_old_log_is_read_without_a_word_and_without_a_question(street: Street) -> None:
    street.clock.set(MONDAY + 30 * DAY)
    await street.said(OPENED, TO_IMPORTER, *(received(f"importer:{number}", MONDAY + DAY) for number in range(300)))
    async with street.notifying():
        await street.quiet()
    assert street.letters == []
    assert street.asked == 0
    assert await log.last_position(street.js) == 302


async def test_news_behind_an_old_log_is_told(street: Street) -> None:
    street.clock.set(MONDAY + 30 * DAY)
    late = received("importer:noord", street.clock.now())
    await street.said(OPENED, TO_IMPORTER, late)
    async with street.notifying() as notifier:
        await street.waited(notifier)
    assert street.letters == ["Uw Halden Meridian is aangekomen bij het servicecentrum"]
    (planned,) = await street.events("message.planned")
    assert planned.causationid == late.id


async def test_a_batch_of_checkpoints_makes_one_message(street: Street) -> None:
    street.clock.set(MONDAY + 2 * DAY)
    await street.said(OPENED, TO_IMPORTER, received("importer:noord", MONDAY + DAY))
    async with street.notifying() as notifier:
        await street.waited(notifier)
    assert street.letters == ["Uw Halden Meridian is aangekomen bij het servicecentrum"]


async def test_a_channel_that_is_down_holds_nobody_up_and_news_stays_in_order(street: Street) -> None:
    """The first message cannot leave; by the time of the next attempt newer news has, and the old one stays unsaid."""

    class Moody(AppriseDelivery):
        attempts = 0

        async def send(self, letter: Letter) -> Outcome:
            self.attempts += 1
            return Failed("ConnectionRefusedError") if self.attempts == 1 else await super().send(letter)

    moody = Moody("outbox://", outbox=street.outbox, sender="repairs@chain.example")
    async with street.notifying(moody, retry_after=(2 * 86_400.0,)) as notifier:
        await street.said(OPENED)

        async def tried() -> bool:
            return moody.attempts == 1

        await eventually(tried)
        await street.quiet()  # when it is tried again counts from when it was tried
        street.clock.set(MONDAY + DAY)
        await street.said(TO_IMPORTER, received("importer:noord", MONDAY + DAY))
        await street.quiet()
        street.clock.set(MONDAY + 3 * DAY)
        await notifier.round()
        await street.quiet()
    assert street.letters == ["Uw Halden Meridian is aangekomen bij het servicecentrum"]
    (suppressed,) = await street.events("message.suppressed")
    assert suppressed.data["reason"] == "overtaken"
    assert moody.attempts == 2


async def test_when_all_attempts_failed_the_accountable_party_hears_of_it(street: Street) -> None:
    class Down(AppriseDelivery):
        async def send(self, letter: Letter) -> Outcome:
            return Failed("smtp_451")

    shop = await street.server.connect(SHOP)
    notices = await shop.subscribe(notices_subject(SHOP))
    await shop.flush()
    down = Down("outbox://", outbox=street.outbox, sender="a@b.example")
    async with street.notifying(down, retry_after=(60.0,)) as notifier:
        await street.said(OPENED)
        await street.quiet()
        assert await street.events("message.failed") == []
        waits = notifier.next_round()
        assert waits is not None
        assert 48 <= (waits - MONDAY).total_seconds() <= 72  # not all at the same moment
        street.clock.set(waits)
        await notifier.round()
        notice = orjson.loads((await notices.next_msg(timeout=5)).data)
    assert notice["notice"] == "message.failed"
    assert notice["reason"] == "smtp_451"
    (failed,) = await street.events("message.failed")
    assert failed.data["reason"] == "smtp_451"


async def test_garbage_in_the_log_is_passed_over(street: Street) -> None:
    async with street.notifying():
        await street.js.publish("repairs.W-1001.order.opened", GARBAGE)
        await street.said(OPENED)
        await street.quiet()
    assert len(street.letters) == 1


async def test_settings_of_an_existing_consumer_are_brought_up_to_date(street: Street) -> None:
    await street.js.add_consumer(
        names.REPAIRS,
        ConsumerConfig(durable_name=names.NOTIFIER_DURABLE, ack_wait=99, filter_subjects=["repairs.*.order.opened"]),
    )
    async with street.notifying():
        info = await street.js.consumer_info(names.REPAIRS, names.NOTIFIER_DURABLE)
    assert info.config.ack_wait == 10
    assert sorted(info.config.filter_subjects or []) == filter_subjects()


async def test_notices_go_to_partners_only(street: Street) -> None:
    connection = await street.server.connect("keeper")
    heard = await connection.subscribe("notices.>")
    notice = Notice(notice="message.failed", order=ORDER, kind="opened", at=MONDAY)
    for party in ("customer:C-77", "chain:watchdog", SHOP):
        await send_notice(connection, party, notice)
    assert (await heard.next_msg(timeout=5)).subject == notices_subject(SHOP)


def test_the_notifier_listens_for_news_and_for_its_own_plans_alone() -> None:
    subjects = filter_subjects()
    assert {"repairs.*.order.opened", "repairs.*.commitment.overdue", "repairs.*.message.planned"} <= set(subjects)
    # An outcome of its own that came back to it would be a circle.
    assert not {f"repairs.*.message.{name}" for name in ("attempted", "sent", "failed", "unknown")} & set(subjects)
    assert all(subject.count("*") == 1 for subject in subjects)


# -- what waits for its moment ----------------------------------------------------------------------------------------

NIGHT = MONDAY.replace(hour=22)


async def test_what_comes_at_night_goes_out_in_the_morning(street: Street) -> None:
    street.clock.set(NIGHT)
    await street.said(OPENED, TO_IMPORTER, received(IMPORTER, NIGHT))
    async with street.notifying() as notifier:
        await street.quiet()
        assert street.letters == []
        assert notifier.next_round() == MONDAY.replace(hour=7) + DAY
        street.clock.set(MONDAY.replace(hour=7) + DAY)
        await notifier.round()
        await street.quiet()
    assert street.letters == ["Uw Halden Meridian is aangekomen bij het servicecentrum"]


async def test_a_notifier_that_stopped_at_night_leaves_nothing_behind(street: Street) -> None:
    street.clock.set(NIGHT)
    await street.said(OPENED, TO_IMPORTER, received(IMPORTER, NIGHT))
    async with street.notifying():
        await street.quiet()
    street.clock.set(MONDAY.replace(hour=7) + DAY)
    async with street.notifying() as notifier:
        await notifier.round()
    assert len(street.letters) == 1
    assert len(await street.events("message.sent")) == 1


async def test_of_two_notifiers_one_tells(street: Street) -> None:
    street.clock.set(NIGHT)
    await street.said(OPENED, TO_IMPORTER, received(IMPORTER, NIGHT))
    async with street.notifying() as one, street.notifying() as other:
        await street.quiet()
        for notifier in (one, other):
            notifier._coming_up._looked_for_others = None  # as if a minute had passed
            await notifier.round()
        street.clock.set(MONDAY.replace(hour=7) + DAY)
        await asyncio.gather(one.round(), other.round())
        await street.quiet()
    assert len(street.letters) == 1
    assert len(await street.events("message.sent")) == 1
    assert len(await street.events("message.unknown")) == 0


async def test_who_was_forgotten_is_not_written_to(street: Street) -> None:
    customers = await street.js.key_value(names.CUSTOMERS)
    await customers.delete(customer_key(SHOP, "C-77"))
    async with street.notifying():
        await street.said(OPENED)
        await street.quiet()
    assert street.letters == []
    assert await street.events("message.planned") == []


async def test_an_order_with_too_long_a_history_is_for_a_person_and_comes_up_no_more(street: Street) -> None:
    street.too_large = True
    async with street.notifying():
        await street.said(OPENED)
        await street.quiet()
    asked = street.asked
    async with street.notifying() as notifier:
        await notifier.round()
        await street.quiet()
    assert street.asked == asked
    (failed,) = await street.events("message.failed")
    assert failed.data["reason"] == "the history of the order is too long to be read"


async def test_a_record_that_cannot_be_read_is_told_from_none(street: Street) -> None:
    customers = await street.js.key_value(names.CUSTOMERS)
    await customers.put(customer_key(SHOP, "C-77"), b'{"channels": 7}')
    async with street.notifying():
        await street.said(OPENED)
        await street.quiet()
    assert street.letters == []
    (failed,) = await street.events("message.failed")
    assert failed.data["reason"] == "her record in the book cannot be read"


async def test_a_clock_that_was_set_back_stops_no_rounds(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that stands still the next round would never come."""
    monkeypatch.setattr("services.notifier._LOOK_ANYWAY", 0.01)
    rounds = 0

    async def look(_: ComingUp) -> None:
        nonlocal rounds
        rounds += 1

    monkeypatch.setattr(ComingUp, "look", look)
    async with street.notifying():

        async def three() -> bool:
            return rounds > 2

        await eventually(three)


def news_is_due(street: Street) -> Event:
    """The cue to news that she was promised on Monday; it is to be written a second after the clock of the street."""
    due = MONDAY + 7 * DAY
    street.clock.set(due - timedelta(minutes=5, seconds=1))
    commitment = commitment_id("update", ORDER, NOTIFIER, street.chain.named("message.sent")[0].id)
    data = {"commitment": commitment, "kind": "update", "owed_by": SHOP, "due": due.isoformat()}
    now = street.clock.now()
    return make_event(
        "commitment.nudged", source=WATCHDOG, id="nudged", subject=ORDER, time=now, recordedtime=now, data=data
    )


async def put_off(notifier: Notifier) -> None:
    async def is_put_off() -> bool:
        return notifier.put_off == 1

    await eventually(is_put_off)


async def have_news_put_off(street: Street, notifier: Notifier) -> None:
    await street.said(OPENED)
    await street.quiet()
    await street.ask("pending", {}, None)
    await street.said(news_is_due(street))
    await put_off(notifier)


async def test_news_waits_for_its_hour_by_the_clock_of_the_chain(street: Street) -> None:
    async with street.notifying() as notifier:
        await have_news_put_off(street, notifier)
        assert notifier.next_round() == MONDAY + 7 * DAY - timedelta(minutes=5)
        await notifier.round()
        assert len(await street.events("message.sent")) == 1
        street.clock.set(MONDAY + 7 * DAY - timedelta(minutes=5))
        await notifier.round()
    assert [event.data["kind"] for event in await street.events("message.sent")] == ["opened", "update"]


async def test_news_that_waits_is_brought_to_whoever_comes_next(street: Street) -> None:
    async with street.notifying() as notifier:
        await have_news_put_off(street, notifier)
    street.clock.set(MONDAY + 7 * DAY - timedelta(minutes=4))
    async with street.notifying():

        async def told() -> bool:
            return len(await street.events("message.sent")) == 2

        await eventually(told)
        await street.quiet()
    assert len(street.letters) == 2


async def test_of_two_notifiers_one_takes_the_last_place_in_her_day(street: Street) -> None:
    async with street.notifying() as one, street.notifying() as other:
        place = DayPlace(MONDAY.date(), 4, 4, MONDAY + DAY)
        taken = [
            notifier._sender._finds_room(place, (SHOP, "C-77"), message)
            for notifier, message in ((one, "msg-1"), (other, "msg-2"))
        ]
        assert sorted(await asyncio.gather(*taken)) == [False, True]
