"""Asks for the histories of many orders in one question: whoever asks while an answer is on its way shares the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from services.answering import Ask, QuestionError, TooLargeError

#: Letters of the last day and a half: her day begins in the morning, wherever she is.
LETTERS_OF: Final = timedelta(hours=36)

#: So many orders in one question; fewer while their histories together are too long for one answer.
_MOST: Final = 100


class Histories:
    """``of(order, position)`` is the order's history, with everything up to that position in the log."""

    def __init__(self, ask: Ask, now: Callable[[], datetime]) -> None:
        self._ask = ask
        self._now = now
        self._wanted: dict[str, tuple[int, list[asyncio.Future[dict[str, Any]]]]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._most = _MOST

    async def of(self, order: str, at_least: int) -> dict[str, Any]:
        """The history as services/notifying/history.py reads it. Raises QuestionError if there is no such order, and
        what asking raises."""
        asked: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        position, waiting = self._wanted.get(order, (0, []))
        self._wanted[order] = (max(position, at_least), [*waiting, asked])
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._go_on())
        return await asked

    async def _go_on(self) -> None:
        while self._wanted:
            await asyncio.sleep(0)  # whoever asks in the same breath is asked for, too
            some = list(self._wanted)[: self._most]
            batch = {order: self._wanted.pop(order) for order in some}
            position = max(at_least for at_least, _ in batch.values())
            args = {"orders": some, "letters_since": (self._now() - LETTERS_OF).isoformat()}
            try:
                found = (await self._ask("histories", args, position))["histories"]
            except TooLargeError as fault:
                if len(batch) == 1:
                    for _, waiting in batch.values():
                        _tell(waiting, fault)
                    continue
                self._most = len(batch) // 2
                for order, (at_least, waiting) in batch.items():
                    since, others = self._wanted.pop(order, (0, []))
                    self._wanted[order] = (max(at_least, since), [*waiting, *others])
                continue
            except BaseException as fault:
                for _, waiting in batch.values():
                    _tell(waiting, fault if isinstance(fault, Exception) else asyncio.CancelledError())
                if not isinstance(fault, Exception):
                    raise
                continue
            self._most = min(2 * self._most, _MOST)
            for order, (_, waiting) in batch.items():
                history = found.get(order)
                if history is None or history["order"] is None:
                    _tell(waiting, QuestionError(f"no order '{order}' is known"))
                    continue
                for asked in waiting:
                    if not asked.done():
                        asked.set_result(history)


def _tell(waiting: list[asyncio.Future[dict[str, Any]]], fault: BaseException) -> None:
    for asked in waiting:
        if not asked.done():
            asked.set_exception(fault)
