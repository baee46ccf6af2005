"""commitments and ball: who owes what by when, and whose move it is."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from cli.asking import ask
from cli.errors import Problem
from cli.forgotten import mark_owed, unmarked
from cli.options import AsOf, Json, KnownAt, Party, place_of, read_moments, read_party
from cli.output import moments_now, print_json, show
from cli.strangers import strangers

_OPEN: Final = ("open", "overdue", "paused")


def commitments(
    ctx: typer.Context,
    order: Annotated[
        str | None,
        typer.Argument(metavar="ORDER", show_default=False, help="Only of this order: id, reference or serial."),
    ] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Only what has not ended, late or not.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is late now.")] = False,
    missed: Annotated[
        bool, typer.Option("--missed", help="Only what was not met in time, whatever became of it.")
    ] = False,
    owner: Annotated[str | None, typer.Option(metavar="ROLE:NAME", help="Only what this party owes.")] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only this kind, such as receive or repair.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many.")] = 100,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """List who owes what to whom, by when, and what became of it.

    What is open comes first, by its due time. Of one order also whose move it is, and who was waited for how long.
    """
    if is_open + overdue + missed > 1:
        raise Problem("ask for one of --open, --overdue and --missed.")
    if kind is not None:
        check_kind(kind)
    states = _OPEN if is_open else ("overdue",) if overdue else None
    then, known = read_moments(as_of, known_at)
    args = {
        "order": order,
        "owner": read_party(owner),
        "kind": kind,
        "states": states and list(states),
        "late": True if missed else None,
        "limit": limit,
    }
    result = ask(place_of(ctx), "commitments", args, then, known, lambda at, found: mark_owed(at, found["commitments"]))
    unmarked(result["commitments"])
    if as_json:
        print_json(result)
        return
    from cli.render.ledger import commitments as rendered

    remarks = [] if result["commitments"] else strangers(place_of(ctx), owner)
    show([*rendered(result, moments_now(then or known)), *remarks], then, known)


def ball(
    ctx: typer.Context,
    party: Party = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many.")] = 100,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """Show whose move it is, of every open order.

    With --party all that one party is to do, the most urgent first.
    """
    then, known = read_moments(as_of, known_at)
    args = {"party": read_party(party), "limit": limit}
    result = ask(place_of(ctx), "ball", args, then, known, lambda at, found: mark_owed(at, found["ball"]))
    unmarked(result["ball"])
    if as_json:
        print_json(result)
        return
    from cli.render.ledger import ball as rendered

    remarks = [] if result["ball"] else strangers(place_of(ctx), party)
    show([*rendered(result, moments_now(then or known)), *remarks], then, known)


def check_kind(kind: str) -> None:
    """Raises Problem for a kind of commitment that there is not: it would find nothing, which says something else."""
    from cli.render.owed import WORDS

    if kind not in WORDS:
        from cli.nearest import hint_among

        raise Problem(f"there is no kind '{kind}': {hint_among(kind, WORDS)}")
