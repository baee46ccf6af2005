"""The watch story through the processes that compose.yaml names, on the real clock, from first start to last stop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import orjson
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from events import names
from events.log import last_position
from events.subjects import notices_subject
from projections.calendar import DEFAULT
from projections.clock import WorkClock, add_time
from services.answering import ask
from services.connecting import connect
from services.settings import Settings, load_settings
from services.story import CARDS, IMPORTER, ORDER, REPAIRER, SERIAL, SHOP, Step, watch_story
from tests.anyhour import ANY_HOUR, adopted
from tests.containers import SERVER, Containers
from tests.logged import read_order
from tests.reliability.partners import Partner
from tests.reliability.plan import Submission
from tests.waiting import eventually

PARTIES = (SHOP, IMPORTER, REPAIRER)

#: What of the later story the customer is told, as what kind of news.
WORTH_TELLING = {
    (REPAIRER, "item.received"): "received",
    (REPAIRER, "repair.completed"): "repaired",
    (SHOP, "item.received"): "ready",
}


class Chain:
    """Whoever takes part in the story, connected to the running containers."""

    def __init__(self, containers: Containers) -> None:
        self.settings: Settings = load_settings(home=containers.home, nats_url=containers.url)
        self.partners: dict[str, Partner] = {}
        self.notices: list[dict[str, Any]] = []
        self._clients: list[Client] = []

    async def join(self) -> None:
        """Connect the operator, and every partner with its own credentials."""
        self.operator = await self._connect("operator")
        for party in PARTIES:
            client = await self._connect(party)
            await client.subscribe(notices_subject(party), cb=self._note)
            self.partners[party] = Partner(party, client)
            await self.partners[party].start()

    async def leave(self) -> None:
        for partner in self.partners.values():
            await partner.stop()
        for client in self._clients:
            await client.close()

    async def say(self, step: Step, at: datetime) -> None:
        """The party says it, as having happened at ``at``, and is told that it was accepted."""
        partner = self.partners[step.party]
        event = step.as_event() | {"time": at.isoformat()}
        partner.give([Submission(step.party, orjson.dumps(event), step.id)])

        def accepted() -> bool:
            receipts = [receipt for entry in partner.handed_in for receipt in partner.receipts(entry)]
            return any((receipt["id"], receipt["outcome"]) == (step.id, "accepted") for receipt in receipts)

        await eventually(accepted, f"{step.id} accepted")

    async def ask(self, name: str, args: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the read models say of everything that is in the log by now."""
        return await ask(self.operator, name, args, at_least=await last_position(self.operator.jetstream()))

    async def told(self, *kinds: str) -> None:
        """Return once the customer has been told just these kinds of news, in that order."""

        async def are_sent() -> bool:
            rows = (await self.ask("messages", {"order": ORDER}))["messages"]
            return [row["kind"] for row in rows if row["status"] == "sent"] == list(kinds)

        await eventually(are_sent, f"{kinds} told")

    async def _connect(self, who: str) -> Client:
        client = await connect(self.settings, who)
        self._clients.append(client)
        return client

    async def _note(self, message: Msg) -> None:
        self.notices.append(orjson.loads(message.data))


@pytest.fixture
async def containers(tmp_path: Path) -> AsyncIterator[Containers]:
    async with Containers(tmp_path) as running:
        yield running


def overdue_since(now: datetime) -> datetime:
    """The latest moment, whole days ago, from which more than two working days have passed: on any day of any week."""
    moments = (now - timedelta(days=days) for days in range(1, 7))
    allowed = timedelta(hours=16)
    return next(
        moment for moment in moments if add_time(WorkClock.of(DEFAULT), moment, allowed) < now - timedelta(hours=1)
    )


def letters(folder: Path) -> list[EmailMessage]:
    """What lies in the outbox, the oldest first."""
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


@pytest.mark.timeout(180)
async def test_the_watch_story_through_the_containers(containers: Containers) -> None:
    await containers.run("setup")
    (containers.volumes["policy"] / "policy.toml").write_text(ANY_HOUR)
    for party in PARTIES:
        card = CARDS[party]
        await containers.run("setup", "repairchain", "partner", "add", party, "--name", card["display_name"])
    read_only = containers.mounted_read_only()
    await containers.up(SERVER)
    await asyncio.gather(*(containers.up(name) for name in names.SERVICES))
    chain = Chain(containers)
    await chain.join()
    try:
        await adopted(chain.operator)
        await play(chain)
        facts = [stored.event for stored in await read_order(chain.operator.jetstream(), ORDER)]
    finally:
        await chain.leave()

    sent = [fact.data["message"] for fact in facts if fact.name == "message.sent"]
    outbox = containers.volumes["outbox"]
    assert sorted(file.stem for file in outbox.iterdir()) == sorted(sent)
    assert len(set(sent)) == len(sent) == 6
    check_letters(letters(outbox))

    assert containers.mounted_read_only() == read_only != {}
    assert " Violation" not in containers.said(SERVER)

    for name in (*reversed(names.SERVICES), SERVER):
        began = time.monotonic()
        assert await containers.stop(name) == 0, containers.said(name)
        assert time.monotonic() - began < 5
    for name in names.SERVICES:
        lines = [json.loads(line) for line in containers.said(name).splitlines()]
        assert {line["level"] for line in lines} <= {"info", "warning"}, containers.said(name)


async def play(chain: Chain) -> None:
    """The story, with the first two facts so long ago that the importer is late when it is told of them."""
    closed, opened, handed_over, received, *rest = watch_story()
    long_ago = overdue_since(datetime.now(UTC))
    await chain.say(closed, long_ago - timedelta(hours=2))
    await chain.say(opened, long_ago - timedelta(hours=1))
    await chain.told("opened")

    await chain.say(handed_over, long_ago)
    await chain.told("opened", "overdue")
    status = await chain.ask("status", {"order": SERIAL})
    assert (status["status"], status["holder"], status["heading_to"]) == ("in_transit", SHOP, IMPORTER)
    rows = (await chain.ask("stalled"))["stalled"]
    assert [row["kind"] for row in rows] == ["receive"], rows
    (stalled,) = rows
    assert (stalled["order"], stalled["owner"], stalled["level"]) == (ORDER, IMPORTER, 1)
    entries = (await chain.ask("timeline", {"order": ORDER}))["entries"]
    noted = [entry for entry in entries if entry["type"] == "commitment.overdue"]
    assert len(noted) == 1, noted
    (overdue,) = noted
    assert (overdue["data"]["kind"], overdue["data"]["owed_by"]) == ("receive", IMPORTER)
    await eventually(lambda: len(chain.notices) == 2, "importer and shop are told who waits for whom")
    assert {notice["owner"] for notice in chain.notices} == {IMPORTER}

    await chain.say(received, datetime.now(UTC))
    await chain.told("opened", "overdue", "received")
    status = await chain.ask("status", {"order": ORDER})
    assert (status["status"], status["holder"], status["heading_to"]) == ("received", IMPORTER, None)
    assert (await chain.ask("stalled"))["stalled"] == []

    # From here on everything happens now; each fact waits until what it is worth telling has been told.
    kinds = ["opened", "overdue", "received"]
    for step in rest:
        await chain.say(step, datetime.now(UTC))
        if step.name in ("item.received", "repair.completed"):
            kinds.append(
                {REPAIRER: "received", SHOP: "ready"}[step.party] if step.name == "item.received" else "repaired"
            )
            await chain.told(*kinds)
    status = await chain.ask("status", {"order": "RMA-20260715"})
    assert (status["order_id"], status["status"], status["outcome"]) == (ORDER, "closed", "repaired")
    assert (status["holder"], status["contacts_started"]) == ("customer", 0)


def plain(letter: EmailMessage) -> str:
    """What she reads where HTML is not shown."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def check_letters(letters: list[EmailMessage]) -> None:
    """To the customer, from the shop, each with a date for the next news; the second an honest word about the delay."""
    acknowledgement, delay, *_ = letters
    assert len({str(letter["Message-ID"]) for letter in letters}) == len(letters)
    for letter in letters:
        text = plain(letter)
        assert "customer@mail.example" in str(letter["To"])
        assert CARDS[SHOP]["display_name"] in str(letter["From"])
        assert text.startswith("Dear Ms Jansen")
        assert "you will hear from us" in text or "hear" in text
        for other in (IMPORTER, REPAIRER):
            assert CARDS[other]["display_name"] not in text
    assert "Diver 200" in plain(acknowledgement)
    assert "delay" in str(delay["Subject"]).lower()
    assert "We are sorry" in plain(delay)
