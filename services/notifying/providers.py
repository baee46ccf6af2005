"""The services behind the channels: called in worker threads, and left alone for a while when they are in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from services.notifying.breaker import Breaker
from services.notifying.letter import Letter
from services.notifying.outcomes import Failed, Outcome, Unknown, is_trouble

#: Each service has so many letters on their way at a time.
_AT_A_TIME: Final = 16

#: A letter that has come to no end by then is given up (seconds). Ours end sooner; a name may be looked up for ever.
_PATIENCE: Final = 150.0


def _workers() -> Executor:
    return ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="channel")


class Provider(Protocol):
    """One service that takes letters."""

    @property
    def repeats_harmlessly(self) -> bool:
        """Whether the same letter sent twice reaches her once."""

    def send(self, letter: Letter) -> Outcome:
        """One attempt; it blocks, and several threads may be in it at a time."""


@runtime_checkable
class Connected(Protocol):
    """A provider that keeps connections open."""

    def close(self) -> None:
        """Let go of them."""


@dataclass(frozen=True)
class Surroundings:
    """What all of them share: ``now`` in seconds on a monotonic clock, ``chance`` from 0 to 1."""

    now: Callable[[], float]
    chance: Callable[[], float]
    patience: float = _PATIENCE


@dataclass
class Guarded:
    """A provider behind its breaker. All but the provider's own work happens on the event loop, so without a lock."""

    provider: Provider
    around: Surroundings
    #: Its own: those to a service that hangs must not keep the others.
    workers: Executor = field(default_factory=_workers)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_A_TIME))
    _breaker: Breaker = field(default_factory=Breaker)
    _probe: asyncio.Event | None = None

    def ready_in(self) -> float:
        """After how many seconds the next letter may go out; 0: now."""
        return self._breaker.ready_in(self.around.now())

    async def send(self, letter: Letter) -> Outcome:
        """One attempt, or none while the provider is left alone.

        Of all who come when it may be tried again, one goes ahead and the others wait for what becomes of that.
        """
        while self._probe is not None:
            await self._probe.wait()
        if self._breaker.is_closed:
            async with self._places:
                # While the letter waited for its place, the service may have turned out to be in trouble.
                return self._resting() or await self._attempt(letter)
        if (resting := self._resting()) is not None:
            return resting
        self._probe = probe = asyncio.Event()
        try:
            return await self._attempt(letter)
        finally:
            self._probe = None
            probe.set()

    async def _attempt(self, letter: Letter) -> Outcome:
        call = self.workers.submit(self.provider.send, letter)
        answer = asyncio.wrap_future(call)
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # also where nobody waits for it
        await asyncio.wait({answer}, timeout=self.around.patience)
        outcome = call.result() if call.done() else self._given_up(call)
        if is_trouble(outcome):
            self._breaker = self._breaker.failed(self.around.now(), self.around.chance())
        else:
            self._breaker = self._breaker.succeeded()
        return outcome

    def _resting(self) -> Failed | None:
        rest = self.ready_in()
        return Failed("service_rests", retry_after=rest, hers=True) if rest > 0 else None

    def _given_up(self, call: Future[Outcome]) -> Outcome:
        never_began = call.cancel()
        again = never_began or self.provider.repeats_harmlessly
        return Failed("service_hangs") if again else Unknown("service_hangs")

    def close(self) -> None:
        """Wait for nobody."""
        self.workers.shutdown(wait=False)
