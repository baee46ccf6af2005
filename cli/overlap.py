"""``--overlap``: for how long what a new secret replaces goes on working, and how that is said."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer

from cli.errors import Problem
from cli.output import moments_now

#: Whoever needs longer has forgotten about it; two secrets are twice as many to lose.
_LONGEST: Final = timedelta(days=90)
_MINUTES: Final = {"m": 1, "min": 1, "minute": 1, "h": 60, "hour": 60, "d": 1_440, "day": 1_440}

Overlap = Annotated[
    str | None,
    typer.Option(
        "--overlap",
        metavar="24h",
        show_default=False,
        help="Let the old one work for so long beside it: 30m, 24h, 7d; 90 days at most.",
    ),
]


def read_overlap(text: str | None, default: timedelta) -> timedelta:
    """The length that ``text`` names, or ``default`` without one. Raises Problem."""
    if text is None:
        return default
    found = re.fullmatch(r"([0-9]{1,6}) ?([a-z]+)", text.strip().lower())
    unit = found[2] if found and found[2] in _MINUTES else found[2].removesuffix("s") if found else ""
    if found is None or unit not in _MINUTES:
        raise Problem(f"'{text}' is no length of time: write 30m, 24h or 7d.")
    overlap = timedelta(minutes=int(found[1]) * _MINUTES[unit])
    if overlap > _LONGEST:
        raise Problem(f"{text} is too long: an old secret works for {_LONGEST.days} days more at most.")
    return overlap


def until(moment: datetime) -> str:
    """When an old secret ends, on the clock of this machine."""
    return f"until {moments_now().at(moment)}"
