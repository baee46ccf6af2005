"""Who may do what, tried on a real server: partners are kept apart, and nobody gets in without a login."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import nats.errors
import nkeys
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg

from events import names
from events.clock import SystemClock
from events.streams import MAX_SUBMISSION, declare_streams
from events.subjects import box_stream, box_subject, intake_subject, notices_subject, receipts_subject
from services.accounts import PARTNER_LIMITS, account_of
from services.credentials import Credential, credential, read_nkeys
from services.parties import list_parties
from services.settings import load_settings
from services.userkeys import new_seed
from services.wiring import build, make_broker
from tests.chainserver import ChainServer
from tests.oldhome import old_logins
from tests.sampling import examples

SHOP, OTHER_SHOP, WORKSHOP = "retailer:acme", "retailer:rival", "repairer:bench"


@pytest.fixture
async def chain(chain_server: ChainServer) -> Client:
    """Our own services' connection, with all streams declared."""
    client = await chain_server.connect("keeper")
    await declare_streams(client.jetstream())
    return client


class Refusals:
    """What the server refused on a connection: pass ``note`` as its error callback."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    async def note(self, error: Exception) -> None:
        await self._heard.put(str(error).lower())

    async def assert_one(self, subject: str) -> None:
        """Exactly one refusal came, and it is about a permission for ``subject``."""
        said = await asyncio.wait_for(self._heard.get(), 5)
        assert "permissions violation" in said
        assert f'"{subject.lower()}"' in said
        assert self._heard.empty(), subject


async def listen(client: Client, subject: str) -> asyncio.Queue[Msg]:
    """Everything that ``client`` hears on ``subject``, once the server knows that it listens."""
    heard: asyncio.Queue[Msg] = asyncio.Queue()
    await client.subscribe(subject, cb=heard.put)
    await client.flush()
    return heard


async def test_a_partner_hands_in_and_is_told_that_it_is_safe(chain_server: ChainServer, chain: Client) -> None:
    shop = await chain_server.connect(SHOP)
    acknowledged = await shop.jetstream().publish(intake_subject(SHOP), b"{}")
    assert (acknowledged.stream, acknowledged.seq) == (box_stream(SHOP), 1)
    stored = await chain.jetstream().get_msg(box_stream(SHOP), 1)
    assert (stored.subject, stored.data) == (box_subject(SHOP), b"{}")


async def test_a_partner_hears_its_own_receipts_and_notices(chain_server: ChainServer, chain: Client) -> None:
    shop = await chain_server.connect(SHOP)
    receipts = await listen(shop, receipts_subject(SHOP))
    notices = await listen(shop, notices_subject(SHOP))
    await chain.publish(receipts_subject(SHOP), b"taken")
    await chain.publish(notices_subject(SHOP), b"waiting for you")
    assert (await asyncio.wait_for(receipts.get(), 5)).data == b"taken"
    assert (await asyncio.wait_for(notices.get(), 5)).data == b"waiting for you"


NOT_TO_SAY = [
    intake_subject(OTHER_SHOP),
    intake_subject(WORKSHOP),
    receipts_subject(SHOP),
    receipts_subject(OTHER_SHOP),
    "repairs.W-1.item.received",
    "rejected.retailer.acme.W-1",
    "chain.query.status",
    "chain.desk.show",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.PURGE.REPAIRS",
    "$KV.CUSTOMERS.a.b",
    "$SYS.REQ.SERVER.PING",
]


async def test_a_partner_may_say_nothing_else(chain_server: ChainServer, chain: Client) -> None:
    await chain_server.add_party(OTHER_SHOP)
    await chain_server.add_party(WORKSHOP)
    refusals = Refusals()
    shop = await chain_server.connect(SHOP, error_cb=refusals.note)
    everything = await listen(chain, ">")
    for subject in NOT_TO_SAY:
        await shop.publish(subject, b"mine")
        await shop.flush()
        await chain.flush()
        await refusals.assert_one(subject)
        assert everything.empty(), subject


NOT_TO_HEAR = [
    ">",
    "receipts.>",
    "receipts.retailer.*",
    receipts_subject(OTHER_SHOP),
    notices_subject(OTHER_SHOP),
    intake_subject(SHOP),
    intake_subject(OTHER_SHOP),
    "repairs.>",
    "rejected.>",
    "$KV.CUSTOMERS.>",
    "$SYS.>",
]


async def test_a_partner_hears_nothing_else(chain_server: ChainServer, chain: Client) -> None:
    refusals = Refusals()
    shop = await chain_server.connect(SHOP, error_cb=refusals.note)
    await chain_server.add_party(OTHER_SHOP)
    for subject in NOT_TO_HEAR:
        heard = await listen(shop, subject)
        await chain.publish(receipts_subject(OTHER_SHOP), b"not yours")
        await chain.jetstream().publish("repairs.W-1.item.received", b"{}")
        await chain.flush()
        await shop.flush()
        assert heard.empty(), subject
        await refusals.assert_one(subject)


async def test_a_chosen_reply_subject_reaches_nobody_else(chain_server: ChainServer, chain: Client) -> None:
    """The server acknowledges to the reply subject. It must not carry that to another partner, or into the log."""
    rival = await chain_server.connect(OTHER_SHOP)
    rival_hears = await listen(rival, receipts_subject(OTHER_SHOP))
    chain_hears_receipts = await listen(chain, "receipts.>")
    shop = await chain_server.connect(SHOP)
    for reply in (receipts_subject(OTHER_SHOP), intake_subject(OTHER_SHOP), "repairs.W-1.item.received", "_INBOX.x"):
        await shop.publish(intake_subject(SHOP), b"{}", reply=reply)
    await shop.flush()
    # All four are stored, so their acknowledgements were sent; the marker comes after them.
    async with asyncio.timeout(5):
        while (await chain.jetstream().stream_info(box_stream(SHOP))).state.messages < 4:
            await chain.flush()
    await chain.publish(receipts_subject(OTHER_SHOP), b"marker")
    assert (await asyncio.wait_for(rival_hears.get(), 5)).data == b"marker"
    assert (await asyncio.wait_for(chain_hears_receipts.get(), 5)).data == b"marker"
    assert (await chain.jetstream().stream_info(names.REPAIRS)).state.messages == 0
    assert (await chain.jetstream().stream_info(box_stream(SHOP))).state.messages == 4


async def test_one_partner_cannot_silence_another_by_using_its_ids_first(
    chain_server: ChainServer, chain: Client
) -> None:
    shop, rival = await chain_server.connect(SHOP), await chain_server.connect(OTHER_SHOP)
    headers = {"Nats-Msg-Id": "acme-1"}
    first = await rival.jetstream().publish(intake_subject(OTHER_SHOP), b"{}", headers=headers)
    second = await shop.jetstream().publish(intake_subject(SHOP), b"{}", headers=headers)
    assert [(each.seq, each.duplicate) for each in (first, second)] == [(1, None), (1, None)]


async def test_nobody_gets_in_without_the_right_login(chain_server: ChainServer) -> None:
    await chain_server.add_party(SHOP)
    refused = (
        None,
        Credential("keeper", ""),
        Credential("keeper", "keeper"),
        Credential(account_of(SHOP), ""),
        Credential(account_of(SHOP), "x"),
        Credential(account_of(OTHER_SHOP), "x"),
        Credential(account_of(SHOP), seed=new_seed()),
    )
    for each in refused:
        assert not await chain_server.lets_in(each)


async def test_a_home_of_before_lets_its_own_users_in_with_their_passwords(free_home: Path) -> None:
    old_logins(free_home)
    async with ChainServer(free_home) as server:
        keeper = await server.connect("keeper")
        await declare_streams(keeper.jetstream())
        assert credential(free_home, "keeper").password
        service = build("watchdog", load_settings(home=free_home), SystemClock())
        await service.start()
        await service.stop()
        broker = make_broker(load_settings(home=free_home), "retailer")
        await broker.connect()
        assert await broker.ping(5)
        await broker.stop()


async def test_a_public_key_without_its_secret_half_opens_nothing(chain_server: ChainServer) -> None:
    """Whoever has the server's configuration, or the registry, has all public keys."""
    await chain_server.add_party(SHOP)
    nkey = read_nkeys(chain_server.embedded.folder)[SHOP]
    other = nkeys.from_seed(new_seed().encode())
    host, port = chain_server.url.removeprefix("nats://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    greeting = json.loads((await reader.readline()).removeprefix(b"INFO "))
    signed = base64.b64encode(other.sign(greeting["nonce"].encode())).decode()
    hello = {"nkey": nkey, "sig": signed, "verbose": False, "protocol": 1, "lang": "x", "version": "1"}
    writer.write(b"CONNECT " + json.dumps(hello).encode() + b"\r\nPING\r\n")
    assert (await reader.readline()).startswith(b"-ERR 'Authorization Violation'")
    writer.close()


async def test_the_operator_reads_the_log_and_submits_for_anybody(chain_server: ChainServer, chain: Client) -> None:
    await chain.jetstream().publish("repairs.W-1.item.received", b"{}")
    operator = await chain_server.connect("operator")
    js = operator.jetstream()
    followed = await js.subscribe("repairs.>", ordered_consumer=True)
    assert (await followed.next_msg(timeout=5)).data == b"{}"
    assert (await js.get_last_msg(names.REPAIRS, "repairs.W-1.>")).seq == 1
    assert (await js.stream_info(names.REJECTED)).state.messages == 0
    assert (await js.publish(intake_subject(WORKSHOP), b"{}")).stream == names.INTAKE_STREAMS["repairer"]


NOT_FOR_THE_OPERATOR = [
    "repairs.W-1.item.received",
    "receipts.retailer.acme",
    "$JS.API.STREAM.PURGE.REPAIRS",
    "$JS.API.STREAM.DELETE.REPAIRS",
    "$JS.API.STREAM.MSG.GET.KV_CUSTOMERS",
    "$JS.API.DIRECT.GET.KV_CUSTOMERS.$KV.CUSTOMERS.a",
    "$KV.CUSTOMERS.a",
    "$JS.API.CONSUMER.CREATE.INTAKE_RETAILER.x",
]


async def test_the_operator_writes_no_facts_and_reads_no_addresses(chain_server: ChainServer, chain: Client) -> None:
    refusals = Refusals()
    operator = await chain_server.connect("operator", error_cb=refusals.note)
    for subject in NOT_FOR_THE_OPERATOR:
        with pytest.raises(nats.errors.TimeoutError):
            await operator.request(subject, b"{}", timeout=0.05)
        await operator.flush()
        await refusals.assert_one(subject)


async def test_a_partner_has_only_so_many_connections_and_leaves_those_of_others_alone(
    chain_server: ChainServer, chain: Client
) -> None:
    clients = [await chain_server.connect(SHOP) for _ in range(PARTNER_LIMITS["max_connections"])]
    secret = credential(chain_server.home, SHOP)
    assert not await chain_server.lets_in(secret)
    rival = await chain_server.connect(OTHER_SHOP)
    assert (await rival.jetstream().publish(intake_subject(OTHER_SHOP), b"{}")).seq == 1
    await clients.pop().close()
    async with asyncio.timeout(5):
        while not await chain_server.lets_in(secret):
            pass


async def test_a_partner_has_only_so_many_subscriptions(chain_server: ChainServer, chain: Client) -> None:
    gone = asyncio.Event()

    async def note() -> None:
        gone.set()

    shop = await chain_server.connect(SHOP, allow_reconnect=False, disconnected_cb=note, closed_cb=note)
    for number in range(PARTNER_LIMITS["max_subscriptions"]):
        await shop.subscribe(f"_INBOX.{number}")
    await shop.flush()
    assert not gone.is_set()
    await shop.subscribe("_INBOX.more")
    await asyncio.wait_for(gone.wait(), 5)
    log = (chain_server.embedded.folder.nats / "server.log").read_text()
    assert "maximum subscriptions exceeded" in log


async def test_a_message_far_too_large_ends_the_connection_and_is_nowhere(
    chain_server: ChainServer, chain: Client
) -> None:
    gone = asyncio.Event()

    async def note() -> None:
        gone.set()

    shop = await chain_server.connect(SHOP, allow_reconnect=False, disconnected_cb=note, closed_cb=note)
    answer = await shop.request(intake_subject(SHOP), b"x" * (MAX_SUBMISSION + 1), timeout=5)
    assert json.loads(answer.data)["error"]["description"] == "message size exceeds maximum allowed"
    assert not gone.is_set()
    await shop.publish(intake_subject(SHOP), b"x" * (PARTNER_LIMITS["max_payload"] + 1))
    await asyncio.wait_for(gone.wait(), 5)
    assert (await chain.jetstream().stream_info(box_stream(SHOP))).state.messages == 0


async def test_newcomers_come_in_without_a_restart(chain_server: ChainServer, chain: Client) -> None:
    """Reading the accounts again drops nobody and keeps the streams."""
    shop = await chain_server.connect(SHOP)
    receipts = await listen(shop, receipts_subject(SHOP))
    lost: list[str] = []

    async def note() -> None:
        lost.append("disconnected")

    steady = await chain_server.connect("keeper", disconnected_cb=note)
    adding = asyncio.create_task(chain_server.add_party(WORKSHOP, display_name="The Bench", phone="+31 20 000 0000"))
    handed_in = 0
    while not adding.done():  # nothing that is said meanwhile gets lost
        handed_in += 1
        assert (await shop.jetstream().publish(intake_subject(SHOP), b"{}")).seq == handed_in
    await adding
    await steady.publish(receipts_subject(SHOP), b"still there")
    assert (await asyncio.wait_for(receipts.get(), 5)).data == b"still there"
    assert handed_in > 2
    assert lost == []
    assert list_parties(chain_server.home)[WORKSHOP].phone == "+31 20 000 0000"


async def test_newcomers_that_come_at_the_same_time_can_all_hand_in(chain_server: ChainServer, chain: Client) -> None:
    parties = [f"retailer:shop {number}" for number in range(8)]
    clients = await asyncio.gather(*(chain_server.connect(party) for party in parties))
    acknowledged = [
        await client.jetstream().publish(intake_subject(party), b"{}")
        for party, client in zip(parties, clients, strict=True)
    ]
    assert [(each.stream, each.seq) for each in acknowledged] == [(box_stream(party), 1) for party in parties]


@settings(max_examples=examples(4, 15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30))
def test_any_name_makes_an_account(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Names with quotes, dots, wildcards or any script: the server takes the configuration and lets the party in."""

    async def play() -> None:
        async with ChainServer(tmp_path_factory.mktemp("named") / "home") as server:
            services = await server.connect("keeper")
            await declare_streams(services.jetstream())
            party = f"retailer:{name}"
            client = await server.connect(party)
            acknowledged = await client.jetstream().publish(intake_subject(party), json.dumps(name).encode())
            assert acknowledged.seq == 1

    asyncio.run(play())
