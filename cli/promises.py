"""promises: dates that somebody named, and whether they were kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

import typer

from cli.asking import ask
from cli.forgotten import mark_listed, unmarked
from cli.options import AsOf, Json, KnownAt, Party, place_of, read_moments, read_party
from cli.output import moments_now, print_json, show
from cli.strangers import strangers

Row = dict[str, Any]

#: All there are: the figures of a party are of all its promises, however many are listed.
_ALL: Final = 100_000


def promises(
    ctx: typer.Context,
    party: Party = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="List at most so many.")] = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """Show which promised dates were kept, and which were missed by how much.

    Each date that somebody named for what was owed; open ones first. Below them the figures of each party.
    """
    then, known = read_moments(as_of, known_at)
    args = {"party": read_party(party), "limit": _ALL}
    result = ask(
        place_of(ctx), "promises", args, then, known, lambda at, found: mark_listed(at, found["promises"][:limit])
    )
    rows: list[Row] = result["promises"]
    unmarked(rows)
    parties = figures(rows)
    if as_json:
        print_json({"promises": rows[:limit], "parties": parties})
        return
    from cli.render.promises import promises as rendered

    remarks = [] if rows else strangers(place_of(ctx), party)
    show([*rendered(rows, parties, moments_now(then or known), limit), *remarks], then, known)


def figures(rows: Iterable[Row]) -> list[Row]:
    """Per party that named dates how many were kept, missed and by how much (the median); the busiest first."""
    by_party: dict[str, list[Row]] = {}
    for row in rows:
        by_party.setdefault(str(row["promised_by"]), []).append(row)
    return [_figures(party, own) for party, own in sorted(by_party.items(), key=lambda each: (-len(each[1]), each[0]))]


def _figures(party: str, rows: list[Row]) -> Row:
    late = sorted(row["late_seconds"] for row in rows if row["kept"] is False)
    return {
        "party": party,
        "promises": len(rows),
        "kept": sum(row["kept"] is True for row in rows),
        "missed": len(late),
        "open": sum(row["state"] in ("open", "paused") for row in rows),
        "moved": sum(row["first_promised_at"] != row["promised_at"] for row in rows),
        "late_p50": late[(len(late) - 1) // 2] if late else None,
    }
