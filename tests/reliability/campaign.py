"""Rounds of killing: in each, partners hand in, one process is killed in the middle of it and started again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from nats.aio.client import Client
from nats.js import JetStreamContext

from events import names
from events.log import last_position
from services.answering import NoAnswerError, QuestionError, ask
from tests.reliability.partners import HandedIn, Partner
from tests.reliability.plan import PARTIES, Plan, Round
from tests.reliability.processes import SERVER, ProcessChain
from tests.waiting import eventually

_LOOK_AGAIN = 0.1

#: Without a receipt for so long (seconds), a submission is handed in again.
_RECEIPT_WITHIN = 5.0

#: Those whose work in hand takes longest to come back to them go first, so that nobody waits for them at the end.
_TURNS = ("watchdog", "projector", "retailer", "importer", "repairer", "notifier")

Say = Callable[[str], None]


def victims(rounds: int) -> Iterator[str]:
    """Whom to kill: every service in turn, ``rounds`` times in all, and the server after every seventh."""
    for number in range(rounds):
        yield _TURNS[number % len(_TURNS)]
        if number % 7 == 6:
            yield SERVER


@dataclass
class Outcome:
    """What is left when everything has come to rest."""

    chain: ProcessChain
    plan: Plan
    partners: dict[str, Partner]
    kills: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def handed_in(self) -> list[tuple[Partner, HandedIn]]:
        return [(partner, entry) for partner in self.partners.values() for entry in partner.handed_in]


class Campaign:
    """``run`` kills for so many rounds; the chain is then at rest and still running."""

    def __init__(
        self, chain: ProcessChain, *, seed: int, orders_per_round: int, say: Say, patience: float = 60.0
    ) -> None:
        self._chain = chain
        self._patience = patience
        self._chance = random.Random(seed)
        self._orders = orders_per_round
        self._say = say
        self._outcome = Outcome(chain, Plan(seed, datetime.now(UTC)), {})

    async def run(self, rounds: int) -> Outcome:
        outcome = self._outcome
        began = time.monotonic()
        self._client: Client = await self._chain.connect("services")
        for party in PARTIES:
            partner = Partner(party, await self._chain.connect(party))
            await partner.start()
            outcome.partners[party] = partner
        await self._open_the_first()
        for number, victim in enumerate(victims(rounds), 1):
            await self._round(outcome.plan.round(self._orders), victim)
            outcome.kills[victim] = outcome.kills.get(victim, 0) + 1
            self._say(f"round {number}: killed {victim} after {time.monotonic() - began:.1f} s")
        outcome.seconds["killing"] = time.monotonic() - began
        await self._rest()
        for partner in outcome.partners.values():
            await partner.stop()
        outcome.seconds["coming to rest"] = time.monotonic() - began - outcome.seconds["killing"]
        return outcome

    async def _open_the_first(self) -> None:
        """One order is in the log before anything is killed."""
        partners = self._outcome.partners
        for submission in self._outcome.plan.first():
            partners[submission.party].give([submission])
        await eventually(lambda: self._acknowledged() and not self._waiting(), "the first order is taken in")

    async def _round(self, made: Round, victim: str) -> None:
        if victim != SERVER:
            await self._chain.ready(victim)  # killed while it works, not while it starts
        awaited = self._acknowledged() + self._chance.randrange(1, sum(not each.refused for each in made.submissions))
        for partner in self._outcome.partners.values():
            partner.give([each for each in made.submissions if each.party == partner.party])
        await eventually(lambda: self._acknowledged() >= awaited, "submissions are acknowledged", patience=60)
        if victim == "notifier":
            await eventually(self._has_news, "the notifier has something to do", patience=60)
        await self._chain.kill(victim)

    def _acknowledged(self) -> int:
        return sum(partner.acknowledged for partner in self._outcome.partners.values())

    async def _has_news(self) -> bool:
        return bool((await pending(self._client.jetstream()))[names.NOTIFIER_DURABLE])

    # -- coming to rest -----------------------------------------------------------------------------------------------

    async def _rest(self) -> None:
        """Return when nobody has anything left to do; give up when nothing has changed for ``patience`` seconds."""
        await self._chain.all_ready()
        partners = self._outcome.partners.values()
        await eventually(lambda: all(partner.done for partner in partners), "all is handed in", patience=60)
        asking_again = asyncio.create_task(self._ask_for_lost_receipts())
        try:
            before: object = None
            while left := await self._left():
                # What is handed in again makes intake busy for a moment, and is no progress.
                progress = {what: rest for what, rest in left.items() if what not in names.INTAKE_DURABLES.values()}
                if progress != before:
                    before, changed = progress, time.monotonic()
                assert time.monotonic() - changed < self._patience, f"nothing moves any more: {left}"
                await asyncio.sleep(_LOOK_AGAIN)
        finally:
            asking_again.cancel()

    async def _left(self) -> dict[str, object]:
        """What there is still to do; empty if there is nothing."""
        client, js = self._client, self._client.jetstream()
        position = await last_position(js)
        left: dict[str, object] = {
            "without a final receipt": [
                (entry.submission.id, self._outcome.partners[entry.submission.party].receipts(entry))
                for entry in self._waiting()
            ]
        }
        try:
            stalled = (await ask(client, "stalled", at_least=position))["stalled"]
            left["not noted"] = [row["order_id"] for row in stalled if row["overdue_level"] < 1]
            messages = (await ask(client, "messages", {"limit": 100_000}, at_least=position))["messages"]
            left["not sent"] = [row["message_id"] for row in messages if row["status"] == "planned"]
        except (NoAnswerError, QuestionError) as error:
            left["no answer"] = str(error)
        left |= await pending(js)
        moved = await last_position(js) != position
        return left | {"position": position} if moved or any(left.values()) else {}

    def _waiting(self) -> list[HandedIn]:
        """What has no final receipt: of a good one, that it is in; of a bad one, any."""
        waiting = []
        for partner, entry in self._outcome.handed_in:
            outcomes = {receipt["outcome"] for receipt in partner.receipts(entry)}
            if not (entry.refused or (outcomes if entry.submission.problem else outcomes - {"rejected"})):
                waiting.append(entry)
        return waiting

    async def _ask_for_lost_receipts(self) -> None:
        while True:
            await asyncio.sleep(_RECEIPT_WITHIN)
            partners = self._outcome.partners
            for entry in self._waiting():
                await partners[entry.submission.party].again(entry)


async def pending(js: JetStreamContext) -> dict[str, object]:
    """How much each intake and the notifier have before them and in hand."""
    durables = [(names.INTAKE_STREAMS[role], names.INTAKE_DURABLES[role]) for role in names.INTAKE_STREAMS]
    found: dict[str, object] = {}
    for stream, durable in (*durables, (names.REPAIRS, names.NOTIFIER_DURABLE)):
        info = await js.consumer_info(stream, durable)
        found[durable] = (info.num_pending or 0) + (info.num_ack_pending or 0)
    return found


def letters(outbox: Path) -> list[Path]:
    """What the customers got."""
    return sorted(outbox.rglob("*.eml")) if outbox.exists() else []
