"""Intake on a real server: every submission ends in a receipt, the good ones in the log, the bad ones kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import names
from events.log import last_position
from events.streams import declare_streams
from events.subjects import box_stream
from services import rejected
from services.boxes import Boxes
from services.intake import reading_ahead
from services.intake.reading import read_document
from tests.chainserver import ChainServer, refusals
from tests.logged import read_order
from tests.sampling import examples
from tests.services.intakes import IMPORTER, NOW, Chain, event
from tests.services.submissions import SHOP
from tests.waiting import eventually


@pytest.fixture
async def chain(chain_server: ChainServer) -> AsyncIterator[Chain]:
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    yield Chain(chain_server)
    assert refusals(chain_server.home) == []


async def test_a_fact_is_taken_in_and_stamped(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    async with chain.running():
        receipt = await shop.say(event("e1"))
    assert (receipt["outcome"], receipt["order"], receipt["position"], receipt["id"]) == ("accepted", "W-1", 1, "e1")
    js = (await chain.server.connect("keeper")).jetstream()
    (stored,) = await read_order(js, "W-1")
    assert stored.event.recordedtime == NOW
    assert stored.event.source == SHOP


async def test_where_it_could_not_start_nothing_of_it_goes_on(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Boxes, "start", AsyncMock(side_effect=TimeoutError("away")))
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError, match="away"):
        await chain.intake().start()
    await eventually(lambda: not asyncio.all_tasks() - before, "no task is left", patience=5)


async def test_a_repeat_is_told_apart_also_after_a_restart_and_without_its_index(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    async with chain.running():
        assert (await shop.say(event("e1")))["outcome"] == "accepted"
        again = await shop.say(event("e1"))
    assert (again["outcome"], again["position"]) == ("duplicate", 1)
    async with chain.running():
        assert (await shop.say(event("e1")))["outcome"] == "duplicate"
    for file in (chain.server.home / "state").iterdir():
        file.unlink()
    async with chain.running():
        assert (await shop.say(event("e1")))["outcome"] == "duplicate"
    js = (await chain.server.connect("keeper")).jetstream()
    assert await last_position(js) == 1


async def test_repeats_within_one_batch_are_told_apart(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    first = [await shop.hand_in(event("e1")) for _ in range(3)]
    async with chain.running():
        outcomes = [(await shop.receipt(sequence))["outcome"] for sequence in first]
        positions = {(await shop.receipt(sequence))["position"] for sequence in first}
    assert outcomes == ["accepted", "duplicate", "duplicate"]
    assert positions == {1}


async def test_names_and_addresses_go_to_the_bucket_and_never_into_the_log(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    contact = {"name": "Zo Unlikely", "language": "nl", "channels": [{"kind": "email", "address": "zo@example.org"}]}
    async with chain.running():
        await shop.say(event("e1", data={"product": {}, "customer": "C-1", "contact": contact}))
    js = (await chain.server.connect("keeper")).jetstream()
    (stored,) = await read_order(js, "W-1")
    assert b"Unlikely" not in stored.payload
    assert b"example.org" not in stored.payload
    bucket = await js.key_value(names.CUSTOMERS)
    entry = await bucket.get("retailer=3Aacme.C-1")
    assert orjson.loads(entry.value or b"") == contact


async def test_what_is_settled_leaves_the_intake_stream(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = await chain.partner(SHOP)
    read: list[bytes] = []

    def reading(headers: dict[str, str] | None, body: bytes) -> dict[str, Any]:
        read.append(body)
        return read_document(headers, body)

    monkeypatch.setattr(reading_ahead, "read_document", reading)
    js = (await chain.server.connect("keeper")).jetstream()

    async def left() -> int:
        return int((await js.stream_info(box_stream(SHOP))).state.messages)

    for number in range(3):
        await shop.hand_in(event(f"e{number}"))
    assert await left() == 3
    async with chain.running() as intake:
        await eventually(lambda: len(shop.receipts) == 3, "receipts")

        async def empty() -> bool:
            return await left() == 0

        await eventually(empty, "nothing is left, no name and no address")
        assert len(read) == 3, "each is read once, ahead of its turn"
        assert len(intake._ahead) == 0


async def test_what_is_refused_is_kept_listed_and_can_be_retried(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    services = await chain.server.connect("keeper")
    js = services.jetstream()
    async with chain.running():
        receipt = await shop.say(event("e1", data={"product": {"colour": "red"}}), {"X-Own": "kept"})
        assert receipt["outcome"] == "rejected"
        assert receipt["problem"]["pointer"] == "/data/product/colour"
        assert receipt["problem"]["errors"] == [
            {"detail": "this type has no such field", "pointer": "/data/product/colour"}
        ]
        (kept,) = [entry async for entry in rejected.list_rejected(js)]
        assert (kept.party, kept.headers) == (SHOP, {"X-Own": "kept"})
        assert rejected.as_json(kept)["submission"]["id"] == "e1"
        again = await rejected.retry_rejected(services, kept.number)
        assert again["outcome"] == "rejected"
        (kept_again,) = [entry async for entry in rejected.list_rejected(js)]
        assert kept_again.number > kept.number
        with pytest.raises(rejected.NoSuchRejectionError):
            await rejected.get_rejected(js, kept.number)


async def test_what_comes_before_its_order_is_taken_in_by_itself_later(chain: Chain) -> None:
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    services = await chain.server.connect("keeper")
    async with chain.running("importer"):
        early = await north.say(event("r1", "item.received", source=IMPORTER))
        assert (early["outcome"], early["problem"]["type"].rpartition(":")[2]) == ("held", "unknown-order")
        async with chain.running("retailer"):
            await shop.say(event("e1"))
            assert (await north.heard("r1", "accepted"))["position"] == 2
    assert await rejected.count_rejected(services.jetstream()) == 0


async def test_what_became_known_while_intake_was_away_is_taken_in_at_start(chain: Chain) -> None:
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    async with chain.running("importer"):
        await north.say(event("r1", "item.received", source=IMPORTER))
    async with chain.running("retailer"):
        await shop.say(event("e1"))
    async with chain.running("importer"):
        assert (await north.heard("r1", "accepted"))["order"] == "W-1"


async def test_a_party_uses_its_own_number_once_it_gave_it(chain: Chain) -> None:
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    async with chain.running("retailer"), chain.running("importer"):
        await shop.say(event("e1"))
        await north.say(event("n1", "order.referenced", source=IMPORTER, data={"reference": "RMA 7"}))
        receipt = await north.say(event("n2", "item.received", source=IMPORTER, subject="RMA 7"))
        assert (receipt["outcome"], receipt["order"]) == ("accepted", "W-1")
        stranger = await shop.say(event("s2", "order.reopened", subject="RMA 7"))
        assert stranger["problem"]["type"].endswith("unknown-order")


async def test_nobody_settles_the_rejection_of_another(chain: Chain) -> None:
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    services = await chain.server.connect("keeper")
    async with chain.running("retailer"), chain.running("importer"):
        await shop.say(b"nonsense")
        await north.say(b"nonsense too", {names.RETRY_OF: "1"})
        assert await rejected.count_rejected(services.jetstream()) == 2


async def test_what_two_parties_open_at_once_is_the_firsts(chain: Chain) -> None:
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    async with chain.running("retailer"), chain.running("importer"):
        for number in range(10):
            order = f"W-{number}"
            ours = await shop.hand_in(event(f"s{number}", subject=order))
            theirs = await north.hand_in(event(f"n{number}", source=IMPORTER, subject=order))
            outcomes = [(await shop.receipt(ours))["outcome"], (await north.receipt(theirs))["outcome"]]
            assert sorted(outcomes) == ["accepted", "rejected"]


async def test_a_submission_with_endless_names_holds_nobody_up(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    async with chain.running():
        bad = [await shop.hand_in(event(f"b{n}", type="x" * 55_000), {"X": "y" * 40_000}) for n in range(30)]
        assert (await shop.say(event("good")))["outcome"] == "accepted"
        assert {(await shop.receipt(sequence))["outcome"] for sequence in bad} == {"rejected"}


@pytest.mark.parametrize("number", ["9" * 5_000, "²", "-1", "0"])
async def test_a_nonsensical_retry_number_changes_nothing(chain: Chain, number: str) -> None:
    shop = await chain.partner(SHOP)
    async with chain.running():
        assert (await shop.say(event("e1"), {names.RETRY_OF: number}))["outcome"] == "accepted"


async def test_a_number_that_was_taken_back_leads_nowhere(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    async with chain.running():
        await shop.say(event("e1"))
        await shop.say(event("r1", "order.referenced", data={"reference": "77"}))
        assert (await shop.say(event("x1", "order.reopened", subject="77")))["order"] == "W-1"
        await shop.say(event("c1", "fact.corrected", data={"fact_id": "r1", "reason": "incorrect_data"}))
        assert (await shop.say(event("x2", "order.reopened", subject="77")))["outcome"] == "held"


async def test_an_oversized_submission_gets_its_receipt_and_does_not_stop_the_flow(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    async with chain.running():
        sequences = [
            await shop.hand_in(body)
            for body in (
                event("e1", pad="x" * 100_000),
                b"\xff\x00",
                b"{}",
                event("e2"),
                event("e3", time="2999-01-01T00:00:00Z"),
            )
        ]
        receipts = [await shop.receipt(sequence) for sequence in sequences]
    kinds = [receipt.get("problem", {}).get("type", receipt["outcome"]).rpartition(":")[2] for receipt in receipts]
    assert kinds == ["too-large", "unreadable", "unreadable", "accepted", "time-out-of-range"]
    with pytest.raises(AssertionError, match="message size"):
        await shop.hand_in(b"x" * 300_000)


NASTY = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {
            "specversion": st.just("1.0"),
            "id": st.text(max_size=12),
            "source": st.sampled_from([SHOP, IMPORTER, "", "retailer"]),
            "type": st.sampled_from(
                ["repairchain.order.opened.v1", "repairchain.order.opened.v9", "repairchain.x.y.v1", "z"]
            ),
            "subject": st.text(max_size=12),
            "time": st.sampled_from(
                ["2026-03-02T09:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "", "1"]
            ),
            "data": st.one_of(
                st.none(), st.just({"product": {}}), st.dictionaries(st.text(max_size=5), st.text(max_size=5))
            ),
        }
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=examples(4, 20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(NASTY, min_size=1, max_size=25))
def test_whatever_comes_gets_a_receipt_and_the_next_good_one_is_taken(
    bodies: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def run() -> None:
        async with ChainServer(tmp_path_factory.mktemp("nasty") / "home") as server:
            await declare_streams((await server.connect("keeper")).jetstream())
            chain = Chain(server)
            shop = await chain.partner(SHOP)
            sequences = [await shop.hand_in(body) for body in bodies]
            async with chain.running():
                for sequence in sequences:
                    receipt = await shop.receipt(sequence)
                    assert receipt["outcome"] in ("accepted", "duplicate", "held", "rejected")
                    assert (receipt["outcome"] in ("held", "rejected")) == ("problem" in receipt)
                assert (await shop.say(event("good", subject="fine")))["outcome"] == "accepted"

    asyncio.run(run())


async def test_what_a_party_said_too_early_of_its_own_order_is_taken_in_once_it_opens_it(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    async with chain.running():
        early = await shop.say(event("r1", "item.received"))
        assert early["problem"]["type"].endswith("unknown-order")
        await shop.say(event("e1"))
        assert (await shop.heard("r1", "accepted"))["order"] == "W-1"
