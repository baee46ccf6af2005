"""Draws what a command would print, as text of a given width, and compares it with the drawings kept in golden/.

When a drawing is meant to change: ``python -m tests.cli.drawing`` draws all of them anew; look at the difference.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType

from cli.render import counts, messages, order, tables, timeline
from cli.render.moments import Moments
from tests.cli import examples

GOLDEN = Path(__file__).parent / "golden"
MOMENTS = Moments(examples.NOW, ZoneInfo("Europe/Amsterdam"))

Parts = Iterable[RenderableType]

DRAWINGS: dict[str, tuple[int, Callable[[], Parts]]] = {
    "timeline-80": (80, lambda: timeline.timeline(examples.TIMELINE, MOMENTS)),
    "timeline-120": (120, lambda: timeline.timeline(examples.TIMELINE, MOMENTS)),
    "timeline-raw-120": (120, lambda: timeline.timeline(examples.TIMELINE, MOMENTS, raw=True)),
    "status-80": (80, lambda: [order.order_panel(examples.ORDER, MOMENTS)]),
    "status-closed-80": (80, lambda: [order.order_panel(examples.CLOSED, MOMENTS)]),
    "orders-80": (80, lambda: tables.orders(examples.ORDERS, MOMENTS, offset=20)),
    "lanes-80": (80, lambda: tables.lanes(examples.LANES)),
    "stalled-80": (80, lambda: tables.stalled(examples.STALLED, MOMENTS)),
    "parties-80": (80, lambda: tables.parties(examples.PARTIES, MOMENTS)),
    "messages-80": (80, lambda: messages.messages(examples.MESSAGES, MOMENTS)),
    "stats-80": (80, lambda: counts.stats(examples.STATS)),
}


def draw(parts: Parts, width: int = 80) -> str:
    """What a terminal of that width would show, without colours."""
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)
    return "".join(line.rstrip() + "\n" for line in file.getvalue().splitlines())


def drawing(name: str) -> str:
    """The drawing called ``name``, as it is now."""
    width, parts = DRAWINGS[name]
    return draw(parts(), width)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for each in DRAWINGS:
        (GOLDEN / f"{each}.txt").write_text(drawing(each), encoding="utf-8")
