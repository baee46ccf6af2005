"""Hands in whatever it is given, and counts: what was received is accepted, a duplicate, rejected, or held.

Every acknowledged submission gets a receipt, and every fact of the log is in one. Where the server was too busy to
answer intake in time, a batch is tried again and told once more: then the last receipt counts.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from events import names
from events.clock import SystemClock
from events.log import last_position
from events.streams import declare_streams
from events.subjects import intake_subject, receipts_subject
from services.settings import load_settings
from services.wiring import build
from tests.chainserver import ChainServer
from tests.reliability.payloads import PARTIES, Payload

#: So many submissions are under way at once.
_WINDOW: Final = 500

_OUTCOMES: Final = ("accepted", "duplicate", "rejected", "held")


@dataclass
class Count:
    """What one run has handed in and heard; a place is (party, sequence)."""

    received: set[tuple[str, int]] = field(default_factory=set)
    heard: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    #: How many last receipts there are of each kind.
    outcomes: Counter[str] = field(default_factory=Counter)
    #: Of all facts that were told.
    positions: set[int] = field(default_factory=set)

    def hear(self, place: tuple[str, int], outcome: str, position: int | None) -> None:
        """Note a receipt."""
        before = self.heard.setdefault(place, [])
        if before:
            self.outcomes[before[-1]] -= 1
        before.append(outcome)
        self.outcomes[outcome] += 1
        if position is not None:
            self.positions.add(position)

    def unanswered(self) -> set[tuple[str, int]]:
        """What was received and has no receipt."""
        return self.received - self.heard.keys()


class Counting:
    """The parties of one server: ``hand_in`` a run, and wait until it ``balances``."""

    def __init__(self, server: ChainServer) -> None:
        self.server = server
        self.count = Count()
        self._clients: dict[str, Client] = {}
        self._heard_before = -1

    async def start(self) -> None:
        """Connect as everybody, and listen."""
        self._keeper = await self.server.connect("keeper")
        for party in PARTIES:
            client = await self.server.connect(party, pending_size=64 * 1024 * 1024)
            await client.subscribe(
                receipts_subject(party), cb=self._hear, pending_msgs_limit=-1, pending_bytes_limit=-1
            )
            await client.flush()
            self._clients[party] = client

    async def _hear(self, message: Msg) -> None:
        for receipt in orjson.loads(message.data)["receipts"]:
            place = (receipt["source"], receipt["sequence"])
            assert receipt["outcome"] in _OUTCOMES
            assert (receipt["outcome"] in ("held", "rejected")) == ("problem" in receipt)
            self.count.hear(place, receipt["outcome"], receipt.get("position"))

    async def hand_in(self, payloads: Iterable[Payload]) -> None:
        """Each as its party; returns when the server has all of them."""
        window = asyncio.Semaphore(_WINDOW)
        async with asyncio.TaskGroup() as group:
            for payload in payloads:
                await window.acquire()
                group.create_task(self._one(payload)).add_done_callback(lambda _: window.release())

    async def _one(self, payload: Payload) -> None:
        client, subject = self._clients[payload.party], intake_subject(payload.party)
        while True:
            reply = await client.request(subject, payload.body, headers=payload.headers, timeout=60)
            answer = orjson.loads(reply.data)
            if "error" not in answer:
                self.count.received.add((payload.party, int(answer["seq"])))
                return

    async def balances(self, *, all_kept: bool = True) -> bool:
        """Whether all has come to rest, and every submission is accounted for.

        Each place has a receipt. What was told is the log. What was rejected or held is kept, less what was held and
        has come in again, under a place of its own, once its order was known. ``all_kept`` is False for a run that is
        larger than what is kept.
        """
        before, self._heard_before = self._heard_before, len(self.count.heard)
        if self._heard_before != before or before < len(self.count.received):
            return False  # more is coming in, and to count all of it again and again would keep that waiting
        count, outcomes = self.count, self.count.outcomes
        js = self._keeper.jetstream()
        # What takes longer comes last: until all is at rest one of the others is false most often.
        if len(count.positions) != await last_position(js) or count.unanswered():
            return False
        again = len(count.heard) - len(count.received)
        kept = outcomes["rejected"] + outcomes["held"] - again
        return not all_kept or kept == (await js.stream_info(names.REJECTED)).state.messages

    async def amiss(self) -> str:
        """Where it does not balance, as far as can be told from here."""
        count, unanswered = self.count, sorted(self.count.unanswered())
        twice = {place: heard for place, heard in count.heard.items() if len(heard) > 1}
        js = self._keeper.jetstream()
        end = await last_position(js)
        untold = sorted(set(range(1, end + 1)) - count.positions)
        facts = [orjson.loads((await js.get_msg(names.REPAIRS, seq=position)).data or b"{}") for position in untold[:5]]
        return (
            f"{self.told()}; the log ends at {end:,}, {len(count.positions):,} of it told; "
            f"{len(unanswered):,} unanswered {unanswered[:5]}; "
            f"{len(twice):,} with several receipts {list(twice.items())[:5]}; "
            f"not told: {[(at, fact.get('source'), fact.get('id')) for at, fact in zip(untold, facts, strict=False)]}"
        )

    def told(self) -> str:
        """The sum, in a line."""
        ends = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(self.count.outcomes.items()))
        again = len(self.count.heard.keys() - self.count.received)
        return f"{len(self.count.received):,} received, {again:,} of them once more when their order came: {ends}"


@asynccontextmanager
async def counting(home: Path) -> AsyncIterator[Counting]:
    """A server with the three intake services and the parties of ``payloads.PARTIES``."""
    async with ChainServer(home) as server:
        for party in PARTIES:
            await server.add_party(party)
        await declare_streams((await server.connect("keeper")).jetstream())
        services = [build(role, load_settings(home=home), SystemClock()) for role in names.INTAKE_DURABLES]
        try:
            for service in services:
                await service.start()
            found = Counting(server)
            await found.start()
            yield found
        finally:
            for service in services:
                await service.stop()
