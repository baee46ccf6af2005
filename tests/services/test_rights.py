"""What each service may say and hear, tried on a real server: its own business, and nobody else's."""

from __future__ import annotations

import asyncio
import re

import nats.errors
import pytest
from nats.aio.client import Client

from events import names
from events.log import last_position
from events.streams import declare_streams
from events.vocabulary import FACTS, may_say
from services.rights import SERVICE_RIGHTS, SYSTEM_USER
from tests.chainserver import ChainServer, refusals
from tests.waiting import eventually


@pytest.fixture
async def keeper(chain_server: ChainServer) -> Client:
    """A connection that may do anything, with all streams declared."""
    client = await chain_server.connect("keeper")
    await declare_streams(client.jetstream())
    return client


def test_there_is_a_user_for_each_service() -> None:
    assert set(SERVICE_RIGHTS) == set(names.ALL_SERVICES)


async def test_the_watchdog_says_what_is_overdue(chain_server: ChainServer, keeper: Client) -> None:
    watchdog = await chain_server.connect("watchdog")
    js = watchdog.jetstream()
    assert (await js.publish("repairs.W-1.commitment.overdue", b"{}")).seq == 1
    assert await last_position(js) == 1
    assert refusals(chain_server.home) == []


#: Who is to be refused which subject.
NOT_TO_SAY = [
    ("watchdog", "repairs.W-1.item.received"),
    ("watchdog", "repairs.W-1.message.sent"),
    ("watchdog", "intake.retailer.acme"),
    ("watchdog", "receipts.retailer.acme"),
    ("watchdog", "rejected.retailer.acme.W-1"),
    ("watchdog", "$KV.CUSTOMERS.a.b"),
    ("watchdog", "$JS.API.STREAM.MSG.GET.KV_CUSTOMERS"),
    ("watchdog", "$JS.API.DIRECT.GET.KV_CUSTOMERS.$KV.CUSTOMERS.a.b"),
    ("watchdog", "$JS.API.CONSUMER.CREATE.REPAIRS"),
    ("watchdog", "$JS.API.STREAM.UPDATE.REPAIRS"),
    ("retailer", "repairs.W-1.incident.declared"),
    ("retailer", "repairs.W-1.commitment.overdue"),
    ("retailer", "repairs.W-1.message.sent"),
    ("retailer", "receipts.importer.north"),
    ("retailer", "intake.importer.north"),
    ("retailer", "rejected.importer.north.W-1"),
    ("retailer", "notices.retailer.acme"),
    ("retailer", "$JS.API.CONSUMER.MSG.NEXT.INTAKE_IMPORTER.intake-importer"),
    ("retailer", "$JS.API.STREAM.UPDATE.REPAIRS"),
    ("retailer", "$JS.API.STREAM.MSG.GET.KV_CUSTOMERS"),
    ("retailer", "$JS.API.CONSUMER.DURABLE.CREATE.REPAIRS.notifier"),
    ("notifier", "repairs.W-1.item.received"),
    ("notifier", "repairs.W-1.commitment.overdue"),
    ("notifier", "repairs.W-1.order.opened"),
    ("notifier", "repairs.retailer=3Aacme.party.closed"),
    ("notifier", "repairs.W-1.order.closed"),
    ("notifier", "$JS.API.STREAM.MSG.DELETE.REPAIRS"),
    ("retailer", "chain.desk.show"),
    ("retailer", "$JS.API.DIRECT.GET.KV_CUSTOMERS"),
    ("watchdog", "chain.desk.show"),
    ("notifier", "receipts.retailer.acme"),
    ("notifier", "chain.query.snapshot"),
    ("notifier", "chain.query.rebuild"),
    ("projector", "repairs.W-1.item.received"),
    ("projector", "chain.query.status"),
    ("projector", "$JS.API.STREAM.MSG.GET.KV_CUSTOMERS"),
    ("http", "repairs.W-1.item.received"),
    ("http", "receipts.retailer.acme"),
    ("http", "chain.query.orders"),
    ("http", "chain.desk.show"),
    ("http", "$JS.API.DIRECT.GET.KV_CUSTOMERS.$KV.CUSTOMERS.a.b"),
    ("http", "$JS.API.STREAM.MSG.GET.REPAIRS"),
    *((user, "$JS.API.STREAM.PURGE.REPAIRS") for user in names.ALL_SERVICES),
    *((user, "$JS.API.STREAM.DELETE.REPAIRS") for user in names.ALL_SERVICES),
    (SYSTEM_USER, "$SYS.REQ.SERVER.x.RELOAD"),
    (SYSTEM_USER, "$SYS.REQ.SERVER.x.KICK"),
    (SYSTEM_USER, "repairs.W-1.item.received"),
]


def refused(server: ChainServer) -> list[tuple[str, str]]:
    """What has been refused so far: ``Publish`` or ``Subscription``, and of which subject."""
    return [
        found for line in refusals(server.home) for found in re.findall(r'(\w+) Violation - Subject "([^"]+)"', line)
    ]


async def test_nobody_does_the_work_of_another(chain_server: ChainServer, keeper: Client) -> None:
    for user in sorted({user for user, _ in NOT_TO_SAY}):
        service, before = await chain_server.connect(user), len(refused(chain_server))
        tried = [subject for other, subject in NOT_TO_SAY if other == user]
        asked = (service.request(subject, b"{}", timeout=0.05) for subject in tried)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [nats.errors.TimeoutError] * len(tried), user
        expected = sorted(("Publish", subject) for subject in tried)
        await eventually(lambda: sorted(refused(chain_server)[before:]) == expected, f"{user} is refused each")  # noqa: B023
    assert await last_position(keeper.jetstream()) == 0


async def test_nobody_listens_to_what_is_not_for_it(chain_server: ChainServer, keeper: Client) -> None:
    subjects = (">", "repairs.>", "$KV.CUSTOMERS.>", "intake.>", "_INBOX_other.>")
    expected = sorted(("Subscription", subject) for subject in subjects)
    for user in (*names.ALL_SERVICES, SYSTEM_USER):
        service, before = await chain_server.connect(user), len(refused(chain_server))
        for subject in subjects:
            await service.subscribe(subject)
        await eventually(lambda: sorted(refused(chain_server)[before:]) == expected, f"{user} is refused each")  # noqa: B023


async def test_answers_are_heard_by_whoever_asked_alone(chain_server: ChainServer, keeper: Client) -> None:
    """The operator must not hear which address the notifier was told."""
    operator, notifier = await chain_server.connect("operator"), await chain_server.connect("notifier")
    bucket = await keeper.jetstream().key_value(names.CUSTOMERS)
    await bucket.put("a.b", b"her address")
    overheard = await operator.subscribe("_INBOX.>")
    await operator.flush()
    entry = await (await notifier.jetstream().key_value(names.CUSTOMERS)).get("a.b")
    assert entry.value == b"her address"
    await operator.flush()
    assert overheard.pending_msgs == 0


@pytest.mark.parametrize("role", names.INTAKE_STREAMS)
def test_intake_may_file_what_its_role_may_say(role: str) -> None:
    filed = {subject for subject in SERVICE_RIGHTS[role].publish if subject.startswith("repairs.")}
    assert filed == {f"repairs.*.{name}" for name in FACTS if may_say(role, name)}
