"""The services behind the channels: called in worker threads, and left alone for a while when they are in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from services.notifying.breaker import Breaker
from services.notifying.letter import Letter
from services.notifying.outcomes import Failed, Outcome, is_trouble


class Provider(Protocol):
    """One service that takes letters."""

    @property
    def repeats_harmlessly(self) -> bool:
        """Whether the same letter sent twice reaches her once."""

    def send(self, letter: Letter) -> Outcome:
        """One attempt; it blocks, and several threads may be in it at a time."""


@dataclass(frozen=True)
class Surroundings:
    """What all of them share: ``now`` in seconds on a monotonic clock, ``chance`` from 0 to 1."""

    workers: Executor
    now: Callable[[], float]
    chance: Callable[[], float]


@dataclass
class Guarded:
    """A provider behind its breaker. All but the provider's own work happens on the event loop, so without a lock."""

    provider: Provider
    around: Surroundings
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
        if (rest := self.ready_in()) > 0:
            return Failed("service_rests", retry_after=rest, hers=True)
        if self._breaker.is_closed:
            return await self._attempt(letter)
        self._probe = probe = asyncio.Event()
        try:
            return await self._attempt(letter)
        finally:
            self._probe = None
            probe.set()

    async def _attempt(self, letter: Letter) -> Outcome:
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(self.around.workers, self.provider.send, letter)
        if is_trouble(outcome):
            self._breaker = self._breaker.failed(self.around.now(), self.around.chance())
        else:
            self._breaker = self._breaker.succeeded()
        return outcome
