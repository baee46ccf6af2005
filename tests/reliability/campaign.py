"""Rounds of killing: in each, partners hand in, one process is killed in the middle of it and started again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from nats.aio.client import Client

from events import names
from tests.reliability.partners import HandedIn, Partner
from tests.reliability.plan import PARTIES, Plan, Round
from tests.reliability.processes import SERVER, ProcessChain
from tests.reliability.resting import Resting, pending
from tests.waiting import eventually

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
        self._client: Client = await self._chain.connect("keeper")
        for party in PARTIES:
            partner = Partner(party, await self._chain.connect(party))
            await partner.start()
            outcome.partners[party] = partner
        self._resting = Resting(self._client, list(outcome.partners.values()), self._patience)
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
        await eventually(lambda: self._acknowledged() and not self._resting.unanswered(), "the first order is taken in")

    async def _round(self, made: Round, victim: str) -> None:
        if victim != SERVER:
            await self._chain.ready(victim)  # killed while it works, not while it starts
        awaited = self._acknowledged() + self._chance.randrange(1, sum(not each.refused for each in made.submissions))
        for partner in self._outcome.partners.values():
            partner.give([each for each in made.submissions if each.party == partner.party])
        await eventually(lambda: self._acknowledged() >= awaited, "submissions are acknowledged", patience=60)
        durable = names.INTAKE_DURABLES.get(victim) or (names.NOTIFIER_DURABLE if victim == "notifier" else None)
        if durable is not None:
            await self._until_busy(durable)
        await self._chain.kill(victim)

    def _acknowledged(self) -> int:
        return sum(partner.acknowledged for partner in self._outcome.partners.values())

    async def _until_busy(self, durable: str) -> None:
        """Until it has something in hand, or has had everything that it was given."""
        js = self._client.jetstream()
        partners = self._outcome.partners.values()

        async def is_busy() -> bool:
            return bool((await pending(js))[durable]) or all(partner.done for partner in partners)

        await eventually(is_busy, f"{durable} has something to do", patience=60)

    async def _rest(self) -> None:
        await self._chain.all_ready()
        partners = self._outcome.partners.values()
        await eventually(lambda: all(partner.done for partner in partners), "all is handed in", patience=60)
        await self._resting.all_is_in()
        await self._resting.all_is_done()


def letters(outbox: Path) -> list[Path]:
    """What the customers got."""
    return sorted(outbox.rglob("*.eml")) if outbox.exists() else []
