"""Arguments and options that several commands share, and how moments on the command line are read."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Final

import typer

from cli.errors import Problem
from cli.place import Place

MOMENT_HELP = (
    "an ISO date or date-time such as 2026-11-21 or 2026-11-21T14:30; a bare date means the end of that day, "
    "and without a zone it is local time"
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document (docs/json.md) and nothing else.")]
OrderName = Annotated[
    str,
    typer.Argument(metavar="ORDER", help="The chain's order id, any party's own reference, or a serial number."),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="T", help=f"As it was then: only what had happened by T, {MOMENT_HELP}."),
]
KnownAt = Annotated[
    str | None,
    typer.Option("--known-at", metavar="T", help="As we knew it then: only what had been recorded by T."),
]

Party = Annotated[
    str | None, typer.Option("--party", metavar="ROLE:NAME", help="Only of this party.", show_default=False)
]


def place_of(ctx: typer.Context) -> Place:
    """The place that the root command found."""
    place = ctx.find_root().obj
    assert isinstance(place, Place)  # set by the root callback before any command runs
    return place


#: As events.party has them, which to import takes longer than most commands.
ROLES: Final = ("retailer", "importer", "repairer", "customer", "chain")


def read_party(text: str | None) -> str | None:
    """A party that an option names. Raises Problem for what cannot be one: it would find nothing, which misleads."""
    if text is not None and not (all(text.partition(":")) and text.partition(":")[0] in ROLES):
        raise Problem(f"'{text}' is not a party: write role:name, such as importer:noord.")
    return text


def read_moment(text: str | None, option: str) -> datetime | None:
    """The moment that an option names. Raises Problem with what to write instead."""
    if text is None:
        return None
    stripped = text.strip()
    try:
        moment = datetime.fromisoformat(stripped)
        if len(stripped) <= len("2026-11-21") and ":" not in stripped:
            moment = datetime.combine(moment.date(), time.max)
        return moment.astimezone()
    except (ValueError, OverflowError):
        raise Problem(f"'{text}' is not a moment for {option}: write {MOMENT_HELP}.") from None


def read_moments(as_of: str | None, known_at: str | None) -> tuple[datetime | None, datetime | None]:
    """What ``--as-of`` and ``--known-at`` say."""
    return read_moment(as_of, "--as-of"), read_moment(known_at, "--known-at")
