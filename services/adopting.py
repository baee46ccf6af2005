"""Adopts the policy that the operator has written: the file becomes a fact, and from then on it holds.

Due times follow from the log alone, so a file has no effect until it stands there; and what was true under the policy
before stays true.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from events.chain import PolicyAdopted
from events.envelope import Event, make_event
from events.log import Appended
from events.party import POLICY, WATCHDOG
from projections.policy import DEFAULT_POLICY, Policy, PolicyError
from services.answering import Ask
from services.home import read_written

_A_MOMENT: Final = timedelta(microseconds=1)

_log = structlog.get_logger("watchdog")


def read_policy(file: Path) -> Policy | None:
    """The policy in ``file``, or None if there is no such file. Raises PolicyError, which names the file."""
    try:
        return Policy.parse(read_written(file))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{file} cannot be read: {error}") from None
    except PolicyError as error:
        raise PolicyError(f"{file}: {error}") from None


class Adopting:
    """Looks at the policy file; ``look`` costs next to nothing while nobody has written to it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._looked_at: tuple[int, int] | None = None

    async def look(self, ask: Ask, append: Callable[[Event], Awaitable[Appended]], now: datetime, at_least: int) -> int:
        """Append a ``policy.adopted`` if the file says something else than what holds; the position of that, or 0.

        A file that cannot be read changes nothing, and is complained of once. Raises what asking and appending raise.
        """
        state = self._state()
        if state == self._looked_at:
            return 0
        position = await self._adopt(ask, append, now, at_least) if state is not None else 0
        self._looked_at = state
        return position

    def _state(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    async def _adopt(
        self, ask: Ask, append: Callable[[Event], Awaitable[Appended]], now: datetime, at_least: int
    ) -> int:
        try:
            policy = read_policy(self._file)
        except PolicyError as error:
            _log.error("the policy cannot be adopted, the one before holds on", error=str(error))
            return 0
        if policy is None:
            return 0
        holds = await ask("policy", {}, at_least)
        if policy.digest == (holds["digest"] or DEFAULT_POLICY.digest):
            return 0
        if holds["adopted_at"]:
            # Of a clock that was set back since: what is adopted later holds all the same.
            now = max(now, datetime.fromisoformat(holds["adopted_at"]) + _A_MOMENT)
        appended = await append(adoption(policy, now, after=holds.get("last_position") or 0))
        if not appended.duplicate:  # otherwise another watchdog was quicker
            _log.info("policy adopted", digest=policy.digest, file=str(self._file))
        return appended.position


def adoption(policy: Policy, now: datetime, after: int) -> Event:
    """The fact that ``policy`` holds from ``now`` on. ``after`` is the position of the last word on policies, or 0.

    Of two watchdogs that see the same file, both make the same fact; and a policy may come back later.
    """
    return make_event(
        "policy.adopted",
        source=WATCHDOG,
        id=f"policy:{policy.digest}:{after}",
        subject=POLICY,
        time=now,
        recordedtime=now,
        data=PolicyAdopted(digest=policy.digest, policy=policy.canonical()),
    )
