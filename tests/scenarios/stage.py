"""Plays a story on a simulated clock through the real services, and remembers what the customer was told, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.settings import load_settings
from services.simulation import Simulation, simulate
from services.story import Step

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def moment(text: str) -> datetime:
    """``2026-07-14 16:00`` in Amsterdam."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


@dataclass(frozen=True)
class Told:
    """One message as the customer got it; ``at`` and ``next_news_by`` to the minute, in Amsterdam."""

    at: str
    kind: str
    next_news_by: str
    subject: str
    body: str


class Stage:
    """A running simulation, and short ways to ask it."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    async def play(self, steps: Sequence[Step]) -> None:
        """Each step at its time; every one must be accepted."""
        for step in steps:
            await self.simulation.advance(step.at)
            receipt = await self.simulation.say(step.as_event())
            assert receipt["outcome"] == "accepted", receipt

    async def until(self, text: str) -> None:
        await self.simulation.advance(moment(text))

    async def timeline(self, order: str) -> dict[str, Any]:
        return await self.simulation.ask("timeline", {"order": order})

    async def status(self, order: str, **travel: str) -> dict[str, Any]:
        return await self.simulation.ask("status", {"order": order}, **travel)

    async def told(self, order: str) -> list[Told]:
        """Every message that was sent about ``order``, the first first."""
        messages = (await self.simulation.ask("messages", {"order": order}))["messages"]
        told = [
            Told(_local(row["sent_at"]), row["kind"], _local(row["next_news_by"]), row["subject"], row["body"])
            for row in messages
            if row["status"] == "sent"
        ]
        return sorted(told, key=lambda message: message.at)

    def letters(self) -> list[str]:
        """Every delivered e-mail in full, headers and all."""
        files = sorted(self.simulation.settings.outbox_folder.rglob("*.eml"))
        return [str(message_from_bytes(file.read_bytes(), policy=policy.default)) for file in files]


def _local(iso: str | None) -> str:
    return "" if iso is None else f"{datetime.fromisoformat(iso).astimezone(AMSTERDAM):%Y-%m-%d %H:%M}"


@asynccontextmanager
async def stage(home: Path, begin: datetime, cards: dict[str, dict[str, str]]) -> AsyncIterator[Stage]:
    """A stage on a home of its own, whose clock stands at ``begin``."""
    async with simulate(load_settings(home=home, nats_port=0), begin, cards) as simulation:
        yield Stage(simulation)
