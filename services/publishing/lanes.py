"""Lanes: what may not overtake. Within a lane only one role's submissions are on their way at a time.

Each role has an intake service of its own, and the three run side by side. What goes to one intake stays in its order
by itself; what goes to another must wait until all before it has its receipt.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Lane(Generic[T]):
    role: str
    on_their_way: int = 0
    waiting: deque[tuple[str, T]] = field(default_factory=deque)


class Lanes(Generic[T]):
    """Many lanes by name; one that is empty is forgotten."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane[T]] = {}
        self.waiting = 0

    def enter(self, name: str, role: str, entry: T) -> bool:
        """Whether ``entry`` may go at once; if not, ``leave`` gives it back when it may."""
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(role)
        if lane.waiting or lane.role != role:
            lane.waiting.append((role, entry))
            self.waiting += 1
            return False
        lane.on_their_way += 1
        return True

    def leave(self, name: str) -> list[T]:
        """One that was on its way has arrived: those that may go now."""
        lane = self._lanes[name]
        lane.on_their_way -= 1
        if lane.on_their_way:
            return []
        if not lane.waiting:
            del self._lanes[name]
            return []
        lane.role = lane.waiting[0][0]
        free = []
        while lane.waiting and lane.waiting[0][0] == lane.role:
            free.append(lane.waiting.popleft()[1])
        lane.on_their_way = len(free)
        self.waiting -= len(free)
        return free
