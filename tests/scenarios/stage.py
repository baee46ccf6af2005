"""Plays a story on a simulated clock through the real services, and remembers what the customer was told, and when."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nats.aio.msg import Msg

from events.log import last_position
from events.party import name_of
from events.tail import read_until
from services.settings import load_settings
from services.simulation import Simulation, simulate
from services.story import Step
from tests.ready import projectors_borrow

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def moment(text: str) -> datetime:
    """``2026-07-14 16:00`` in Amsterdam."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def teller(order: str) -> Callable[..., Step]:
    """How the steps of a story about ``order`` are written: when (Amsterdam), who, what, and its data."""

    def said(at: str, party: str, name: str, **data: Any) -> Step:
        return Step(moment(at), party, name, data, subject=order)

    return said


def contact(name: str) -> dict[str, Any]:
    """How the customer is reached, for an opening; she is written to in English."""
    return {"name": name, "language": "en", "channels": [{"kind": "email", "address": "customer@mail.example"}]}


@dataclass(frozen=True)
class Told:
    """One message as the customer got it; ``at`` and ``next_news_by`` to the minute, in Amsterdam.

    ``cause`` is the fact that it tells, or the step that it is about and what became of that: ``receive overdue``.
    """

    at: str
    kind: str
    next_news_by: str
    subject: str
    body: str
    cause: str
    channel: str
    language: str


@dataclass(frozen=True)
class Owed:
    """One commitment, short: ``due`` and ``met`` to the minute, in Amsterdam ("" for none); ``what`` tells them apart.

    ``state`` is open, overdue, paused, met, met_late or cancelled.
    """

    kind: str
    owner: str
    due: str
    state: str
    met: str = ""
    what: str = ""


@dataclass(frozen=True)
class Noticed:
    """One notice that a party got, at the minute it was told of (Amsterdam)."""

    at: str
    party: str
    notice: str
    kind: str
    person: str | None = None


class Stage:
    """A running simulation, and short ways to ask it."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._noticed: list[Noticed] = []

    async def play(self, steps: Sequence[Step]) -> None:
        """Each step at its time; every one must be accepted."""
        for step in steps:
            await self.simulation.advance(step.at)
            receipt = await self.simulation.say(step.as_event())
            assert receipt["outcome"] == "accepted", receipt

    async def say(self, step: Step, happened: str) -> None:
        """What is reported later than it happened: handed in at the time of ``step``, and timed ``happened``."""
        await self.simulation.advance(step.at)
        event = step.as_event() | {"time": moment(happened).isoformat()}
        receipt = await self.simulation.say(event)
        assert receipt["outcome"] == "accepted", receipt
        await self.until_now()

    async def until_now(self) -> None:
        """The watchdog looks once more, without time passing."""
        await self.simulation.advance(self.simulation.clock.now())

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
            Told(
                local(row["sent_at"]),
                row["kind"],
                local(row["next_news_by"]),
                row["subject"],
                row["body"],
                _cause(row["trigger_id"]),
                row["channel"],
                row["language"],
            )
            for row in messages
            if row["status"] == "sent"
        ]
        return sorted(told, key=lambda message: message.at)

    async def owed(self, order: str, *kinds: str, owner: str | None = None) -> list[Owed]:
        """The commitments of ``order`` in the order in which they arose, as they stand now."""
        rows = (await self.simulation.ask("commitments", {"order": order, "now": self._now()}))["commitments"]
        return [
            Owed(
                row["kind"],
                row["owner"],
                local(row["due_at"]),
                row["state"],
                local(row["met_at"]),
                row["topic"] if row["topic"] not in (None, row["owner"]) else "",
            )
            for row in sorted(rows, key=lambda row: (row["opened_at"], row["kind"], row["ended_at"] or "~"))
            if (not kinds or row["kind"] in kinds) and owner in (None, row["owner"])
        ]

    async def ball(self, order: str) -> dict[str, Any]:
        """Whose move it is."""
        answer = await self.simulation.ask("commitments", {"order": order, "now": self._now()})
        return dict(answer["ball"] or {})

    async def time_spent(self, order: str) -> list[dict[str, Any]]:
        """Who had ``order`` for how long."""
        answer = await self.simulation.ask("commitments", {"order": order, "now": self._now()})
        return [dict(row) for row in answer["time_spent"]]

    async def promises(self, party: str) -> list[dict[str, Any]]:
        """What ``party`` has named a date for, kept or missed."""
        answer = await self.simulation.ask("promises", {"party": party, "now": self._now()})
        return [dict(row) for row in answer["promises"]]

    async def stalled(self) -> list[tuple[str, str, str]]:
        """What is overdue now: order, kind, owner; the longest overdue first."""
        rows = (await self.simulation.ask("stalled", {"now": self._now()}))["stalled"]
        return [(row["order"], row["kind"], row["owner"]) for row in rows]

    async def listen(self) -> None:
        """From now on keep the notices to parties, for ``noticed``."""

        async def hear(message: Msg) -> None:
            said = json.loads(message.data)
            _, role, name = message.subject.split(".")
            at, person = local(said["at"]), said.get("person")
            self._noticed.append(Noticed(at, f"{role}:{name}", said["notice"], said["kind"], person))

        await self.simulation.operator.subscribe("notices.>", cb=hear)
        await self.simulation.operator.flush()

    async def noticed(self, *kinds: str) -> list[Noticed]:
        """The notices since ``listen``, by the time and then by the party."""
        await self.simulation.operator.flush()
        found = [notice for notice in self._noticed if not kinds or notice.kind in kinds]
        return sorted(found, key=lambda notice: (notice.at, notice.party, notice.kind, notice.notice))

    async def facts(self, name: str) -> list[dict[str, Any]]:
        """Every fact of that name in the log, as it stands there, the first first."""
        js = self.simulation.operator.jetstream()
        log = [json.loads(payload) async for batch in read_until(js, await last_position(js)) for _, payload in batch]
        return [event for event in log if event["type"] == f"repairchain.{name}.v1"]

    def write_policy(self, text: str) -> None:
        """What the operator writes; the watchdog adopts it at its next beat."""
        self.simulation.settings.policy_file.write_text(text, encoding="utf-8")

    def _now(self) -> str:
        return self.simulation.clock.now().isoformat()

    def letters(self) -> list[str]:
        """Every delivered e-mail in full, headers and all."""
        files = sorted(self.simulation.settings.outbox_folder.rglob("*.eml"))
        return [str(message_from_bytes(file.read_bytes(), policy=policy.default)) for file in files]


def local(iso: str | None) -> str:
    """To the minute, in Amsterdam."""
    return "" if iso is None else f"{datetime.fromisoformat(iso).astimezone(AMSTERDAM):%Y-%m-%d %H:%M}"


def _cause(trigger_id: str) -> str:
    """What a fact is, by its id: those of a story's facts and those of the watchdog say it."""
    said, of_commitment, commitment = trigger_id.partition(":")
    return f"{commitment.partition('/')[0]} {said}" if of_commitment else trigger_id.rpartition("-")[0]


def heard(told: Sequence[Told]) -> list[tuple[str, str, str, str, str]]:
    """The messages without their words: when, of what kind, about what, how (channel, language), and the next news."""
    return [(each.at, each.kind, each.cause, f"{each.channel} {each.language}", each.next_news_by) for each in told]


def kept(told: Sequence[Told]) -> bool:
    """Whether each message came before the date that the one before it had named."""
    return all(later.at < earlier.next_news_by for earlier, later in pairwise(told) if earlier.next_news_by)


def one_face(letters: Sequence[str], us: str, cards: Mapping[str, Mapping[str, str]]) -> None:
    """Every letter speaks for ``us``, names no other party of the chain as the cause, and says when, not "soon"."""
    assert letters
    for letter in letters:
        assert cards[us]["display_name"] in letter
        plain = letter.lower()
        for other in cards.keys() - {us}:
            assert cards[other]["display_name"].lower() not in plain
            assert name_of(other) not in plain
        for word in ("importer", "repairer", "retailer", "manufacturer", "supplier", "as soon as possible"):
            assert word not in plain


def _write_first(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@asynccontextmanager
async def stage(
    home: Path,
    begin: datetime,
    cards: dict[str, dict[str, str]],
    terms: str | None = None,
    *,
    daily_list: bool = False,
) -> AsyncIterator[Stage]:
    """A stage on a home of its own, whose clock stands at ``begin``; ``terms`` is what the operator wrote as policy.

    Parties get their daily lists only where a story is about them: each day that passes would take longer.
    """
    settings = load_settings(home=home, nats_port=0, daily_list=daily_list)
    if terms is not None:
        _write_first(settings.policy_file, terms)
    with projectors_borrow():
        async with simulate(settings, begin, cards) as simulation:
            yield Stage(simulation)
