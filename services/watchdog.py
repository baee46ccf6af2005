"""The watchdog: at each beat of the clock it says which commitments have fallen overdue, once per commitment and level.

It keeps nothing. What is overdue, and which level was noted, is a question to the read models; the id of a fact is made
of the commitment and the level, so that no restart and no second watchdog can say a thing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import structlog
from nats.js.errors import Error as JetStreamError

from events.chain import CommitmentOverdue
from events.clock import Clock
from events.envelope import MAX_ID_BYTES, Event, iso, make_event
from events.log import Appended
from events.party import PARTNER_ROLES, WATCHDOG, role_of
from services.answering import Ask, NoAnswerError, QuestionError
from services.notices import Notice, overdue_notice

#: A customer who waits for news is brought up again after so many days, should the first message have failed.
REMINDERS: Final = tuple(timedelta(days=days) for days in (2, 4, 8, 16, 32))

#: What was overdue for longer than this when we first see it came in late (a nightly upload, an import), and the fact
#: that meets it may be right behind it: such a row is believed at the second beat.
LATE: Final = timedelta(minutes=10)

#: So long after a start that nothing answers is no news.
_STARTING: Final = timedelta(seconds=15)

Append = Callable[[Event], Awaitable[Appended]]
Notify = Callable[[str, Notice], Awaitable[None]]

_log = structlog.get_logger("watchdog")


def level_of(row: dict[str, Any]) -> int:
    """How far overdue a row of the query ``stalled`` is: 1 from its due time on.

    News that stays out is the one thing nobody else reports, so it has further levels.
    """
    if row["kind"] != "news":
        return 1
    overdue = timedelta(seconds=float(row["overdue_seconds"]))
    return 1 + sum(overdue >= step for step in REMINDERS)


def decide_overdue(rows: Iterable[dict[str, Any]], now: datetime) -> list[tuple[Event, dict[str, Any]]]:
    """The facts to append about rows of ``stalled``, each with its row; nothing that was noted already."""
    decided = []
    for row in rows:
        level = level_of(row)
        if row["overdue_level"] >= level:
            continue
        data = {name: row[name] for name in ("kind", "owed_by", "due")}
        event = make_event(
            "commitment.overdue",
            source=WATCHDOG,
            id=overdue_id(row["commitment_id"], level),
            subject=row["order_id"],
            time=now,
            recordedtime=now,
            data=CommitmentOverdue(commitment=row["commitment_id"], level=level, **data),
        )
        decided.append((event, row))
    return decided


def overdue_id(commitment: str, level: int) -> str:
    """The id of the one fact that says so. Commitments are named after other ids, and may be too long for an id."""
    id = f"overdue:{commitment}:{level}"
    if len(id.encode()) <= MAX_ID_BYTES:
        return id
    return f"overdue:{blake2b(commitment.encode(), digest_size=16).hexdigest()}:{level}"


class Watchdog:
    """``beat`` looks once; ``start`` looks every ``beat_seconds`` until ``stop``."""

    def __init__(
        self,
        ask: Ask,
        append: Append,
        notify: Notify,
        clock: Clock,
        beat_seconds: float,
        last_position: Callable[[], Awaitable[int]],
    ) -> None:
        self._ask = ask
        self._append = append
        self._notify = notify
        self._clock = clock
        self._every = timedelta(seconds=beat_seconds)
        self._last_position = last_position
        self._seen: int | None = None
        self._doubted: set[str] = set()
        self._running: asyncio.Task[None] | None = None
        self._last_beat: datetime | None = None

    async def beat(self, now: datetime) -> int:
        """Note what has fallen overdue by ``now``; returns how many facts that made.

        Raises NoAnswerError or QuestionError if the query is not answered, nats errors if the log does not confirm.
        """
        # The answer must reflect what we said last time, or we would say it again; after a start we do not know what
        # that was, so it must reflect everything.
        if self._seen is None:
            self._seen = await self._last_position()
        answer = await self._ask("stalled", {"now": iso(now)}, self._seen)
        noted = 0
        for event, row in self._decide(answer["stalled"], now):
            appended = await self._append(event)
            self._seen = max(self._seen, appended.position)
            if appended.duplicate:
                continue  # another watchdog was quicker, and tells the parties
            noted += 1
            _log.info("overdue", order=event.subject, kind=row["kind"], owed_by=row["owed_by"])
            for party in {row["owed_by"], row.get("accountable") or row["owed_by"]}:
                if role_of(party) in PARTNER_ROLES:
                    await self._notify(party, overdue_notice(row, now))
        self._last_beat = now
        return noted

    def _decide(self, rows: list[dict[str, Any]], now: datetime) -> list[tuple[Event, dict[str, Any]]]:
        """Row by row: one that cannot be told of must not silence the others."""
        decided = []
        for row in self._believed(rows):
            try:
                decided += decide_overdue([row], now)
            except ValueError as error:
                _log.error("cannot tell of a commitment", commitment=row["commitment_id"], error=str(error))
        return decided

    def _believed(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        late = {row["commitment_id"] for row in rows if row["overdue_seconds"] > LATE.total_seconds()}
        believed = [row for row in rows if row["commitment_id"] not in late or row["commitment_id"] in self._doubted]
        self._doubted = late
        return believed

    async def run(self) -> None:
        """Beat for ever. Trouble with the server or the projector passes; the next beat sees what this one missed."""
        began = self._clock.now()
        while True:
            now = self._clock.now()
            try:
                await self.beat(now)
            except (NoAnswerError, QuestionError, JetStreamError, OSError, TimeoutError) as error:
                # Everything may be starting: the log is not declared yet, nobody answers yet.
                starting = self._last_beat is None and now - began < _STARTING
                (_log.debug if starting else _log.warning)("no beat", error=str(error) or repr(error))
            except Exception:  # noqa: BLE001 - a watchdog that a single odd row can silence guards nobody
                _log.exception("no beat")
            await self._clock.wait_until(now + self._every)

    async def start(self) -> None:
        """Begin to beat."""
        self._running = asyncio.create_task(self.run())

    async def stop(self) -> None:
        """Stop beating."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def check(self) -> str:
        """For readiness: asks the projector what is overdue now. Raises NoAnswerError or QuestionError."""
        await self._ask("stalled", {"now": iso(self._clock.now())}, None)
        return f"last beat {self._last_beat.isoformat() if self._last_beat else 'still to come'}"
