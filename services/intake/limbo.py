"""How long a submission waits for its order: until a stated time, and then it is rejected, once.

The time goes with it for as long as it is held: neither a service that restarts nor a retry by hand makes it longer.
When it has passed, the submission is handed in once more, and intake finds either its order or that the time is up; so
what is kept then, and its receipt, come about as those of any other submission do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import nats.errors
import nats.js.errors
import structlog
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from events import names
from events.clock import Clock
from events.envelope import iso
from events.subjects import held_subject, untoken
from services.ending import end
from services.intake.held import HELD_UNTIL, resubmit
from services.intake.problems import NEVER_CAME, Problem, Refusal, is_held, kind_of
from services.intake.rejecting import from_message, held_names

HELD_FOR: Final = timedelta(days=14)

#: After trouble with the server we look again (seconds).
_AFTER_TROUBLE: Final = 1.0
#: Whatever the clock says (it may have been set back by hours), we look at least once in so long (seconds).
_LOOK_ANYWAY: Final = 60.0

_NEVER: Final = datetime.max.replace(tzinfo=UTC)

_log = structlog.get_logger("intake")


class Limbo:
    """The submissions of one role that wait for their orders. ``start`` looks after them until ``stop``."""

    def __init__(self, role: str, clock: Clock, held_for: timedelta = HELD_FOR) -> None:
        self._role = role
        self._clock = clock
        self._held_for = held_for
        #: Of each id or reference that is waited for, when the first time is up; long ago, where we have not looked.
        self._until: dict[str, datetime] = {}
        self._noted = asyncio.Event()

    def judged(self, problem: Problem, headers: Mapping[str, str] | None) -> Problem:
        """``problem`` with the time until which the submission is held, or as it is once that has passed."""
        if not is_held(problem):
            return problem
        now = self._clock.now()
        until = min(now + self._held_for, _stated(headers) or _NEVER)
        if until > now:
            return problem.model_copy(update={"held_until": until})
        since = f"{problem.detail.partition(';')[0]}, and none came until {iso(until)}"
        return Refusal(NEVER_CAME, f"{since}; it is kept, and can be handed in again", problem.pointer).problem(
            problem.submission
        )

    def note(self, subject: str, problem: Problem) -> None:
        """A submission was just kept under that subject."""
        if problem.held_until is not None:
            name = untoken(subject.split(".")[3])
            if problem.held_until < min(self._until.values(), default=_NEVER):
                self._noted.set()
            self._until[name] = min(problem.held_until, self._until.get(name, problem.held_until))

    async def start(self, js: JetStreamContext) -> None:
        """Begin with all that is held."""
        self._js = js
        unknown = datetime.min.replace(tzinfo=UTC)
        self._until = dict.fromkeys(await held_names(js, self._role), unknown)
        self._looking = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Look no longer."""
        await end(self._looking)

    async def _go_on(self) -> None:
        while True:
            try:
                await self._look()
            except (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError) as error:
                _log.warning("will look again at what is held", role=self._role, error=repr(error))
                await asyncio.sleep(_AFTER_TROUBLE)
                continue
            except Exception:  # noqa: BLE001 - one odd submission must not keep all others waiting for ever
                _log.exception("looking at what is held hit a fault", role=self._role)
                await asyncio.sleep(_AFTER_TROUBLE)
                continue
            await self._until_next()

    async def _until_next(self) -> None:
        """Return when the first time is up, or an earlier one was noted."""
        self._noted.clear()
        first = min(self._until.values(), default=None)
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._noted.wait())]
        if first is not None:
            waits.append(asyncio.ensure_future(self._clock.wait_until(first)))
        try:
            await asyncio.wait(waits, timeout=_LOOK_ANYWAY, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _look(self) -> None:
        now = self._clock.now()
        for name in [name for name, until in self._until.items() if until <= now]:
            before = self._until.pop(name)  # while we look, others may be kept under that name
            try:
                later = await self._hand_in_lapsed(name, now)
            except BaseException:
                self._until[name] = before
                raise
            if later is not None:
                self._until[name] = min(later, self._until.get(name, later))

    async def _hand_in_lapsed(self, name: str, now: datetime) -> datetime | None:
        """Hand in again what waits for ``name`` and whose time is up. Returns when that of the next one is."""
        after, later = 0, None
        subject = held_subject(self._role, name)
        while True:
            try:
                message = await self._js.get_msg(names.REJECTED, seq=after + 1, subject=subject, next=True)
            except NotFoundError:
                return later
            after = message.seq or after + 1
            rejected = from_message(message)
            if not is_held(rejected.problem):
                continue
            # What was kept before there was such a time is held from when it was kept.
            until = rejected.problem.held_until or (rejected.kept_at or now) + self._held_for
            if until > now:
                later = min(until, later or until)
                continue
            lapsed = rejected.problem.model_copy(update={"held_until": until})
            await resubmit(self._js, replace(rejected, problem=lapsed), to_box=True)


def _stated(headers: Mapping[str, str] | None) -> datetime | None:
    """The time that was stated when it was kept first. Whoever writes that header himself can only make it shorter."""
    stated = (headers or {}).get(HELD_UNTIL)
    if stated is None or names.RETRY_OF not in (headers or {}):
        return None
    with suppress(ValueError):
        moment = datetime.fromisoformat(stated)
        return moment if moment.tzinfo is not None else None
    return None


def is_lapsed(problem: Problem) -> bool:
    """Whether its order never came."""
    return kind_of(problem.type) == NEVER_CAME
