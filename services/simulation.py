"""The whole chain in one process on a simulated clock: real services, a real server, a real DuckDB file.

Weeks pass in seconds: the clock jumps from one moment at which something is due to the next, and every service has
finished what it had to do before the clock moves on. For stories, the demo, and backtests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from nats.aio.client import Client

from events import names
from events.clock import SimulatedClock
from events.log import last_position
from events.subjects import intake_subject, receipts_subject
from services.answering import ask
from services.boxes import unsettled
from services.connecting import connect, leave
from services.notifier import Notifier
from services.parties import add_party
from services.server import EmbeddedServer
from services.settings import Settings
from services.watchdog import Watchdog
from services.wiring import build
from services.wrapping import BesideIt, Closing, Connected, Service

_RECEIPT_TIMEOUT: Final = 15.0
_SETTLE_TIMEOUT: Final = 30.0

#: Between two looks at whether everybody has finished (seconds of real time).
_LOOK_AGAIN: Final = 0.01


class SimulationError(RuntimeError):
    """The chain did not come to rest, or a fact of the story was refused."""


class Simulation:
    """A running chain whose time is ``clock``. Make one with ``simulate``."""

    def __init__(
        self, settings: Settings, clock: SimulatedClock, operator: Client, services: Mapping[str, Service]
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.operator = operator
        self.services = services
        self._rested_at: int | None = None

    async def ask(self, name: str, args: Mapping[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
        """The result of a query, once the read models reflect everything that was said."""
        position = await last_position(self.operator.jetstream())
        return await ask(self.operator, name, args, at_least=position, **rest)

    async def say(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Hand in one CloudEvent for its source, and return its receipt when the chain has settled.

        Raises SimulationError if there is no receipt.
        """
        party = str(event["source"])
        subscription = await self.operator.subscribe(receipts_subject(party))
        try:
            ack = await self.operator.jetstream().publish(intake_subject(party), orjson.dumps(event))
            async with asyncio.timeout(_RECEIPT_TIMEOUT):
                async for message in subscription.messages:
                    for receipt in orjson.loads(message.data)["receipts"]:
                        if receipt["sequence"] == ack.seq:
                            await self.settle()
                            return dict(receipt)
        except TimeoutError:
            pass
        finally:
            await subscription.unsubscribe()
        raise SimulationError(f"{event.get('type')} of {party} got no receipt")

    async def advance(self, moment: datetime) -> None:
        """Let time pass until ``moment``, with a beat of the watchdog at every moment at which something falls due."""
        moment = moment.astimezone(UTC)
        while True:
            due = await self._next_due(moment)
            if due is None:
                break
            # Something is overdue when its moment is past, not when it comes.
            self.clock.set(max(due + timedelta(microseconds=1), self.clock.now()))
            await self._beat()
        self.clock.set(moment)
        await self._beat()

    async def _next_due(self, until: datetime) -> datetime | None:
        """The earliest moment up to ``until`` at which something is to be said of a commitment."""
        rows = (await self.ask("sweep", {"now": until.isoformat()}))["sweep"]
        dues = [datetime.fromisoformat(row["next_at"]) for row in rows if row["say"] != "withdraw"]
        waits = self._notifier.next_round() if self._notifier is not None else None
        if waits is not None and waits < until:  # what comes up at that very moment does so in its beat
            dues.append(waits)
        return min(dues, default=None)

    async def _beat(self) -> None:
        holder = self.services["watchdog"]
        watchdog = holder.service if isinstance(holder, Connected) else None
        if not isinstance(watchdog, Watchdog):
            raise SimulationError("the simulation needs the watchdog")
        await watchdog.beat(self.clock.now())
        await self.settle()
        if self._notifier is not None:
            await self._notifier.round()
            await self.settle()

    @property
    def _notifier(self) -> Notifier | None:
        holder = self.services.get("notifier")
        found = holder.service if isinstance(holder, Connected) else None
        while isinstance(found, BesideIt | Closing):
            found = found.service
        if holder is not None and not isinstance(found, Notifier):
            raise SimulationError("the simulation needs the notifier's rounds")
        return found if isinstance(found, Notifier) else None

    async def settle(self) -> None:
        """Return once nobody has anything left to do: intake, projector and notifier have caught up with each other."""
        try:
            async with asyncio.timeout(_SETTLE_TIMEOUT):
                # The server counts what is pending a moment after it stored it: only two looks in a row are rest, or
                # one that finds the log where it was when all came to rest before.
                looks = 0
                while (found := await self._settled()) is None or (looks < 1 and found != self._rested_at):
                    looks = 0 if found is None else looks + 1
                    await asyncio.sleep(_LOOK_AGAIN)
                self._rested_at = found
        except TimeoutError:
            raise SimulationError("the chain did not come to rest") from None

    async def _settled(self) -> int | None:
        """The end of the log, if nobody seems to have anything left to do."""
        js = self.operator.jetstream()
        before = await last_position(js)
        # First of all, for here we wait instead of looking again; what the others do next follows from the read models.
        await ask(self.operator, "position", at_least=before)
        notifier = await js.consumer_info(names.REPAIRS, names.NOTIFIER_DURABLE)  # has most often something to do
        put_off = self._notifier.put_off if self._notifier is not None else 0  # these come up by our clock
        under_way = (notifier.num_ack_pending or 0) > put_off
        if notifier.num_pending or under_way or any((await unsettled(js)).values()):
            return None
        return before if await last_position(js) == before else None


@asynccontextmanager
async def simulate(
    settings: Settings,
    start: datetime,
    parties: Mapping[str, Mapping[str, str]],
    services: Sequence[str] = names.SERVICES,
) -> AsyncIterator[Simulation]:
    """A chain on ``settings.home`` whose clock stands at ``start``; ``parties`` maps each party to its card."""
    clock = SimulatedClock(start)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(EmbeddedServer(settings.home))
        for party, card in parties.items():
            await asyncio.to_thread(add_party, settings.home, party, **card)
        running: dict[str, Service] = {}
        for name in services:
            # Between two beats of a simulated clock nobody can hand in what is still missing.
            service = build(name, settings.model_copy(update={"beat_seconds": 5.0}), clock)
            await service.start()
            stack.push_async_callback(service.stop)
            running[name] = service
        operator = await connect(settings, "operator", name="repairchain simulation")
        stack.push_async_callback(leave, operator)
        yield Simulation(settings, clock, operator, running)
