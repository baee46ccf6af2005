"""The box of each partner on a real server: who makes it, when, and that nothing waits in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import nats.errors
import pytest
from nats.js import JetStreamContext
from nats.js.errors import APIError

from events import names
from events.streams import (
    DEFAULT_LIMITS,
    OURS_FROM,
    Limits,
    declare_streams,
    intake_config,
    ours_consumer,
    rejected_config,
)
from events.subjects import box_stream, box_subject, intake_subject
from services import access, parties
from services.boxes import Box, Boxes, boxes, open_boxes, open_boxes_as_keeper, unsettled
from services.credentials import credential
from services.expiring import end_replaced
from services.parties import add_party
from services.reloading import ServerReloadError
from services.rights import service_rights
from services.settings import load_settings
from tests.chainserver import ChainServer, refusals
from tests.services.intakes import Chain, event
from tests.services.submissions import SHOP
from tests.waiting import eventually

LATER = "retailer:late & comer"


@pytest.fixture
async def chain(chain_server: ChainServer) -> Chain:
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    return Chain(chain_server)


def test_a_stream_has_a_name_that_a_folder_may_have_and_no_two_parties_share_one() -> None:
    long = "repairer:" + "ä" * 200
    parties = [SHOP, "retailer:acme.x", "importer:acme", long, long + "x"]
    streams = [box_stream(party) for party in parties]
    assert streams[:2] == ["INTAKE_RETAILER_acme", "INTAKE_RETAILER_acme=2Ex"]
    assert len(set(streams)) == len(parties)
    assert max(map(len, streams)) < 200


async def test_whoever_is_registered_can_hand_in_at_once_although_no_service_runs(chain: Chain) -> None:
    shop = await chain.server.connect(SHOP)
    assert (await shop.jetstream().publish(intake_subject(SHOP), event("e1"))).stream == box_stream(SHOP)


def _add_unheard(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as cut_off:
        cut_off.setattr(parties, "make_boxes", lambda *_: False)
        cut_off.setattr(parties, "tell_server", Mock(side_effect=ServerReloadError))
        with suppress(ServerReloadError):
            parties.add_party(home, SHOP)


async def test_a_newcomer_of_whom_the_server_never_heard_is_let_in_when_it_is_added_again(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever added it was cut off, or the server hung: then it has neither its box nor all of its account."""
    _add_unheard(chain.server.home, monkeypatch)
    assert not await chain.server.lets_in(credential(chain.server.home, SHOP))
    await chain.server.add_party(SHOP)
    assert await chain.server.lets_in(credential(chain.server.home, SHOP))
    shop = await chain.server.connect(SHOP)
    assert (await shop.jetstream().publish(intake_subject(SHOP), event("e1"))).stream == box_stream(SHOP)


async def test_whoever_runs_the_server_tells_it_of_a_newcomer_of_whom_it_never_heard(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_unheard(chain.server.home, monkeypatch)
    assert await asyncio.to_thread(end_replaced, chain.server.home, datetime.now(UTC)) == []
    assert await chain.server.lets_in(credential(chain.server.home, SHOP))
    assert not chain.server.embedded.folder.untold_file.exists()


async def test_a_server_that_was_killed_is_not_waited_for(free_home: Path) -> None:
    """Whoever registers holds the lock on the registry, without which the server could not come back."""
    async with ChainServer(free_home) as server:
        settings = load_settings(home=free_home, nats_url=server.url)
    async with asyncio.timeout(10):
        assert not await open_boxes_as_keeper(settings, [SHOP])


async def test_a_server_that_is_killed_while_boxes_are_made_is_not_waited_for_either(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise nats.errors.ConnectionClosedError

    monkeypatch.setattr("services.boxes.declare_box", gone)
    settings = load_settings(home=chain.server.home, nats_url=chain.server.url)
    assert not await open_boxes_as_keeper(settings, [LATER])


async def test_a_newcomer_is_heard_by_an_intake_that_runs(chain: Chain) -> None:
    async with chain.running():
        late = await chain.partner(LATER)
        receipt = await late.say(event("e1", source=LATER))
        assert (receipt["outcome"], receipt["sequence"]) == ("accepted", 1)
        js = (await chain.server.connect("keeper")).jetstream()

        async def empty() -> bool:
            return (await js.stream_info(box_stream(LATER))).state.messages == 0

        await eventually(empty, "what is settled is removed: the right to do so came with the partner")
    assert refusals(chain.server.home) == []


async def test_who_registered_while_no_server_ran_finds_a_box_when_one_runs(free_home: Path) -> None:
    add_party(free_home, SHOP)
    async with ChainServer(free_home) as server:
        assert [box.party for box in await boxes((await server.connect("keeper")).jetstream())] == [SHOP]
        shop = await server.connect(SHOP)
        assert (await shop.jetstream().publish(intake_subject(SHOP), b"{}")).seq == 1


async def test_an_intake_makes_the_boxes_that_are_missing_when_it_starts_and_while_it_runs(
    chain: Chain,
) -> None:
    js = (await chain.server.connect("keeper")).jetstream()
    shop = await chain.partner(SHOP)
    await js.delete_stream(box_stream(SHOP))
    with pytest.raises(nats.errors.NoRespondersError):  # no acknowledgement: the partner tries again
        await shop.hand_in(event("e1"))
    async with chain.running():
        assert (await shop.say(event("e1")))["outcome"] == "accepted"
        await js.delete_stream(box_stream(SHOP))

        async def there() -> bool:
            return [box.party for box in await boxes(js, "retailer")] == [SHOP]

        await eventually(there, "made again")
        await shop.hand_in(event("e1"))
        await shop.heard("e1", "duplicate")
        await js.delete_consumer(box_stream(SHOP), names.INTAKE_DURABLES["retailer"])
        assert (await shop.say(event("e2")))["outcome"] == "accepted"
    assert refusals(chain.server.home) == []


async def test_that_one_was_made_anew_is_told_although_the_first_look_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([OSError("away"), None])
    served: list[Collection[str]] = []

    async def found(*_: object) -> list[Box]:
        if (error := next(looks)) is not None:
            raise error
        return []

    async def serve(_: list[Box], made: Collection[str]) -> None:
        served.append(made)

    monkeypatch.setattr("services.boxes.boxes", found)
    kept = Boxes(Mock(), "retailer", DEFAULT_LIMITS, serve)
    await kept._hear(Mock(subject=f"$JS.EVENT.ADVISORY.CONSUMER.CREATED.{box_stream(SHOP)}.retailer"))
    with pytest.raises(OSError, match="away"):
        await kept._list()
    await kept._list()
    assert served == [{box_stream(SHOP)}]


async def test_what_a_partner_handed_in_before_it_was_revoked_is_taken_in(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    await shop.hand_in(event("e1"))
    await asyncio.to_thread(access.revoke, chain.server.home, SHOP)
    js = (await chain.server.connect("keeper")).jetstream()
    async with chain.running():

        async def taken_in() -> bool:
            return not (await js.stream_info(box_stream(SHOP))).state.messages

        await eventually(taken_in, "taken in and removed")
    assert (await js.stream_info(names.REPAIRS)).state.messages == 1
    assert refusals(chain.server.home) == []


async def test_what_waits_where_an_earlier_version_kept_it_is_taken_in(chain: Chain) -> None:
    """Before there were boxes, all partners of a role handed in to the stream that is only our own's now."""
    shop = await chain.partner(SHOP)
    keeper = await chain.server.connect("keeper")
    await keeper.jetstream().publish(intake_subject(SHOP), event("e1"))
    async with chain.running():
        assert (await shop.heard("e1", "accepted"))["position"] == 1


async def test_one_that_is_full_keeps_nobody_else_from_handing_in(chain: Chain) -> None:
    js = (await chain.server.connect("keeper")).jetstream()
    shop, late = await chain.server.connect(SHOP), await chain.server.connect(LATER)
    await open_boxes(js, [SHOP, LATER], Limits(partner=1024 * 1024))
    answers = [await shop.request(intake_subject(SHOP), b"x" * 200_000) for _ in range(6)]
    assert [b'"seq"' in answer.data and b"error" not in answer.data for answer in answers] == [True] * 5 + [False]
    assert b"maximum bytes exceeded" in answers[-1].data
    assert (await late.jetstream().publish(intake_subject(LATER), b"{}")).seq == 1
    assert (await unsettled(js))[names.INTAKE_DURABLES["retailer"]] == 6


def test_a_service_may_keep_the_boxes_of_its_own_partners_only() -> None:
    rights = service_rights("retailer", [SHOP, "importer:north"]).publish
    assert f"$JS.API.STREAM.PURGE.{box_stream(SHOP)}" in rights
    assert not any("IMPORTER_north" in subject for subject in rights)
    assert box_subject("importer:north") not in rights
    assert not any("PURGE.*" in subject or "UPDATE.*" in subject for subject in rights)


async def test_what_an_earlier_version_left_is_taken_in_and_its_streams_go_on_as_they_should(
    chain_server: ChainServer,
) -> None:
    """Partners handed in to the stream of their role, and what was rejected was kept one by one."""
    js = (await chain_server.connect("keeper")).jetstream()
    stream, durable = names.INTAKE_STREAMS["retailer"], names.INTAKE_DURABLES["retailer"]
    await js.add_stream(replace(intake_config("retailer"), first_seq=None, max_bytes=64 * 1024 * 1024))
    await js.add_stream(replace(rejected_config(), allow_atomic=None))
    await js.add_consumer(stream, ours_consumer("retailer"))
    assert (await js.publish(intake_subject(SHOP), event("e1"))).seq == 1
    await declare_streams(js, updating=())  # as a service does that may not change them
    chain = Chain(chain_server)
    shop = await chain.partner(SHOP)
    async with chain.running():
        assert (await shop.heard("e1", "accepted"))["sequence"] == 1

        async def empty() -> bool:
            return not (await js.stream_info(stream)).state.messages

        await eventually(empty, "removed")
    async with chain.running():
        assert (await js.publish(intake_subject(SHOP), event("e1"))).seq == OURS_FROM
        assert (await shop.receipt(OURS_FROM))["outcome"] == "duplicate"
        bad = [await shop.hand_in(b"nonsense") for _ in range(3)]
        assert (await shop.receipt(bad[-1]))["outcome"] == "rejected"  # the first are a batch of their own, maybe
    config = (await js.stream_info(names.REJECTED)).config
    assert (config.allow_atomic, (await js.stream_info(stream)).config.max_bytes) == (True, DEFAULT_LIMITS.intake)
    assert (await js.consumer_info(stream, durable)).num_pending == 0
    assert refusals(chain_server.home) == []


async def test_nothing_is_acknowledged_that_would_be_lost_when_an_old_stream_is_numbered_anew(
    chain_server: ChainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    js = (await chain_server.connect("keeper")).jetstream()
    stream, tried = names.INTAKE_STREAMS["retailer"], []
    await js.add_stream(replace(intake_config("retailer"), first_seq=None))
    purge = JetStreamContext.purge_stream

    async def meanwhile(self: JetStreamContext, name: str, seq: int | None = None) -> bool:
        if (name, seq) == (stream, OURS_FROM):
            with pytest.raises(APIError, match="maximum bytes"):
                await js.publish(intake_subject(SHOP), event("e1"))
            tried.append(name)
        return await purge(self, name, seq=seq)

    monkeypatch.setattr(JetStreamContext, "purge_stream", meanwhile)
    async with Chain(chain_server).running():
        assert tried
        assert (await js.publish(intake_subject(SHOP), event("e1"))).seq == OURS_FROM


async def test_what_another_version_wants_of_a_box_reaches_those_that_are_there(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits, how long something may wait, and how the consumer reads; what waits is kept."""
    js = (await chain.server.connect("keeper")).jetstream()
    shop = await chain.partner(SHOP)
    stream, durable = box_stream(SHOP), names.INTAKE_DURABLES["retailer"]
    config = (await js.stream_info(stream)).config
    await js.update_stream(config.evolve(metadata={}))  # as made by a version that left no mark
    await shop.hand_in(event("e1"))
    settings = {"_WAITING_MAX_AGE": 40 * 24 * 3600.0, "WAITING_PER_PARTNER": 60_000, "_IN_HAND": 700, "_ACK_WAIT": 12.0}
    for name, value in settings.items():
        monkeypatch.setattr(f"events.streams.{name}", value)
    async with chain.running():  # an intake may do it itself, of its own partners
        await shop.heard("e1", "accepted")
    found, reading = (await js.stream_info(stream)).config, (await js.consumer_info(stream, durable)).config
    assert (found.max_age, found.max_msgs) == (40 * 24 * 3600.0, 60_000)
    assert (reading.max_ack_pending, reading.ack_wait) == (700, 12.0)
    assert refusals(chain.server.home) == []
    updated: list[str] = []

    async def counted(*_: object, **__: object) -> None:
        updated.append("again")

    monkeypatch.setattr(JetStreamContext, "update_stream", counted)
    monkeypatch.setattr(JetStreamContext, "add_consumer", counted)
    await open_boxes(js, [SHOP])
    assert updated == [], "one that is as it should be is left alone"
