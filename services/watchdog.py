"""The watchdog: at each beat of the clock it says what is to be said of commitments, each thing once.

A nudge before it is late (of news to the customer it is the notifier's cue, and no notice), each level from the due
time on, and that something was not overdue after all. It keeps nothing: what is to be said is a question to the read
models (``sweep``), and the id of a fact is made of the commitment, its due time and the level, so that no restart and
no second watchdog can say a thing twice. It also adopts the policy that the operator has written, for due times
follow from that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import blake2b
from math import ceil
from typing import Any, Final

import structlog
from nats.js.errors import Error as JetStreamError

from events.chain import CommitmentNudged, CommitmentOverdue, CommitmentWithdrawn
from events.clock import Clock
from events.envelope import MAX_ID_BYTES, Event, iso, make_event
from events.facet import Fact
from events.log import Appended
from events.party import PARTNER_ROLES, WATCHDOG, role_of
from services.adopting import Adopting
from services.answering import Ask, NoAnswerError, QuestionError
from services.ending import end
from services.notices import Notice, commitment_notice
from services.starting import Starting

#: What was to be said longer ago than this when we first see it came in late (a nightly upload, an import), and the
#: fact that meets it may be right behind it: such a row is believed when it is still there so many seconds later.
LATE: Final = timedelta(minutes=10)
_DOUBT: Final = 5.0

#: Whatever the clock says (it may have been set back by hours), there is a beat at least once in so long (seconds).
_BEAT_ANYWAY: Final = 60.0

#: Of what was said so much is remembered. Whoever takes back what was said before that hears it once more.
_REMEMBERED: Final = 100_000

Append = Callable[[Event], Awaitable[Appended]]
Notify = Callable[[str, Notice], Awaitable[None]]

_log = structlog.get_logger("watchdog")


def decide(rows: Iterable[dict[str, Any]], now: datetime) -> list[tuple[Event, dict[str, Any]]]:
    """The facts to append about rows of the query ``sweep``, each with its row."""
    return [(_fact(row, now), row) for row in rows]


def _fact(row: dict[str, Any], now: datetime) -> Event:
    about = {"commitment": row["commitment_id"], "kind": row["kind"], "owed_by": row["owner"]}
    level = row["reached"]
    data: Fact
    match row["say"]:
        case "nudge":
            name, what = "commitment.nudged", "nudged"
            data = CommitmentNudged(**about, due=row["due_at"])
        case "withdraw":
            name, what = "commitment.withdrawn", "withdrawn"
            data = CommitmentWithdrawn(**about, level=level, ended_at=row["ended_at"])
        case _:
            name, what = "commitment.overdue", "overdue"
            data = CommitmentOverdue(**about, level=level, due=row["due_at"], tell=tuple(row["tell"]))
    id = fact_id(what, row["commitment_id"], level, row["due_at"])
    return make_event(name, source=WATCHDOG, id=id, subject=row["order"], time=now, recordedtime=now, data=data)


def fact_id(what: str, commitment: str, level: int, due_at: str | None) -> str:
    """The id of the one fact that says so of that due time.

    Commitments are named after other ids, and may be too long for an id.
    """
    end = f":{level}:{due_at}"
    id = f"{what}:{commitment}{end}"
    if len(id.encode()) <= MAX_ID_BYTES:
        return id
    return f"{what}:{blake2b(commitment.encode(), digest_size=16).hexdigest()}{end}"


def whom_to_notify(row: dict[str, Any]) -> set[str]:
    """The partners that are to have a notice of what is said of ``row``."""
    owner, accountable = row["owner"], row.get("accountable") or row["owner"]
    parties = {"owner": owner, "accountable": accountable, "person": accountable}
    return {parties[whom] for whom in row["tell"] if whom in parties and role_of(parties[whom]) in PARTNER_ROLES}


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
        adopting: Adopting | None = None,
        person_of: Callable[[str], str | None] = lambda party: None,
    ) -> None:
        self._ask = ask
        self._append = append
        self._notify = notify
        self._clock = clock
        self._every = timedelta(seconds=beat_seconds)
        self._last_position = last_position
        self._adopting = adopting
        self._person_of = person_of
        self._seen: int | None = None
        self._doubted: dict[str, int] = {}
        self._beats_of_doubt = max(2, ceil(_DOUBT / beat_seconds) + 1)
        self._one_at_a_time = asyncio.Lock()
        self._unconfirmed: dict[str, tuple[Event, dict[str, Any]]] = {}
        self._said: set[str] = set()
        self._untold: set[str] = set()
        self._running: asyncio.Task[None] | None = None
        self._last_beat: datetime | None = None
        self._starting = Starting()

    async def beat(self, now: datetime) -> int:
        """Say what is to be said by ``now``; returns how many facts that made.

        Raises NoAnswerError or QuestionError if the query is not answered, nats errors if the log does not confirm.
        """
        async with self._one_at_a_time:
            return await self._beat(now)

    async def _beat(self, now: datetime) -> int:
        # The answer must reflect what we said last time, or we would say it again; after a start we do not know what
        # that was, so it must reflect everything.
        if self._seen is None:
            self._seen = await self._last_position()
        await self._look_at_policy(now)
        answer = await self._ask("sweep", {"now": iso(now)}, self._seen)
        noted = 0
        for event, row in [*self._unconfirmed.values(), *self._decide(answer["sweep"], now)]:
            # What was tried and not confirmed may stand in the log all the same, and then no sweep brings it up again.
            tried = event.id in self._unconfirmed
            self._unconfirmed[event.id] = (event, row)
            appended = await self._append(event)
            del self._unconfirmed[event.id]
            if len(self._said) >= _REMEMBERED:
                self._said.clear()
            self._said.add(event.id)
            self._seen = max(self._seen, appended.position)
            if appended.duplicate and not tried:
                continue  # another watchdog was quicker, and tells the parties
            noted += 1
            _log.info(event.name.partition(".")[2], order=event.subject, kind=row["kind"], owner=row["owner"])
            for party in whom_to_notify(row):
                await self._notify(party, commitment_notice(event.name, row, now, party, self._person_of(party)))
        self._last_beat = now
        self._starting.over()
        return noted

    async def _look_at_policy(self, now: datetime) -> None:
        """Whatever is wrong with a policy, what is due is told all the same."""
        if self._adopting is None:
            return
        try:
            adopted = await self._adopting.look(self._ask, self._append, now, self._seen or 0)
        except (NoAnswerError, QuestionError, JetStreamError, OSError, TimeoutError) as error:
            self._starting.say(error, _log.debug, _log.warning)(
                "the policy was not looked at", error=str(error) or repr(error)
            )
        else:
            self._seen = max(self._seen or 0, adopted)

    def _decide(self, rows: list[dict[str, Any]], now: datetime) -> list[tuple[Event, dict[str, Any]]]:
        """Row by row: one that cannot be told of must not silence the others."""
        decided = []
        for row in self._believed(rows, now):
            if row["commitment_id"] in self._untold:
                continue
            try:
                decided += decide([row], now)
            except ValueError as error:
                self._untold.add(row["commitment_id"])  # complained of once is enough
                _log.error("cannot tell of a commitment", commitment=row["commitment_id"], error=str(error))
        # What was said and yet comes up again was taken back by somebody: saying it again would change nothing.
        told = self._said | self._unconfirmed.keys()
        return [(event, row) for event, row in decided if event.id not in told]

    def _believed(self, rows: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
        late = {
            row["commitment_id"]: self._doubted.get(row["commitment_id"], 0) + 1
            for row in rows
            if row["say"] != "withdraw" and datetime.fromisoformat(row["said_for"]) < now - LATE
        }
        self._doubted = late
        return [row for row in rows if late.get(row["commitment_id"], self._beats_of_doubt) >= self._beats_of_doubt]

    async def run(self) -> None:
        """Beat for ever. Trouble with the server or the projector passes; the next beat sees what this one missed."""
        while True:
            now = self._clock.now()
            try:
                await self.beat(now)
            except (NoAnswerError, QuestionError, JetStreamError, OSError, TimeoutError) as error:
                self._starting.say(error, _log.debug, _log.warning)("no beat", error=str(error) or repr(error))
            except Exception:  # noqa: BLE001 - a watchdog that a single odd row can silence guards nobody
                _log.exception("no beat")
            with suppress(TimeoutError):
                async with asyncio.timeout(max(_BEAT_ANYWAY, self._every.total_seconds())):
                    await self._clock.wait_until(now + self._every)

    async def start(self) -> None:
        """Begin to beat."""
        self._running = asyncio.create_task(self.run())

    async def stop(self) -> None:
        """Stop beating."""
        if self._running is not None:
            await end(self._running)

    async def check(self) -> str:
        """For readiness: asks the projector what is to be said now. Raises NoAnswerError or QuestionError."""
        await self._ask("sweep", {"now": iso(self._clock.now())}, None)
        return f"last beat {self._last_beat.isoformat() if self._last_beat else 'still to come'}"
