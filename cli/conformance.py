"""partner test: what would happen to a partner's sample file, on a chain that is made for it and thrown away."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.envelopes import filled, hint_to_fill, read_events
from cli.errors import Problem, one_line
from cli.nearest import hints_for_types
from cli.options import Json
from cli.output import print_json, show
from cli.progress import counting

if TYPE_CHECKING:
    from services.conformance import Rehearsal

_OUTCOMES = ("accepted", "duplicate", "held", "rejected")


def try_out(
    party: Annotated[
        str,
        typer.Argument(metavar="ROLE:NAME", help="As whom, such as retailer:juno; it need not be registered."),
    ],
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="Events as a JSON object, an array or JSON Lines; - reads standard input."),
    ],
    open_missing: Annotated[
        bool,
        typer.Option("--open-missing", help="First open, for the test, every order that the file takes for known."),
    ] = False,
    fill: Annotated[
        bool,
        typer.Option("--fill", help="Make up what is missing: specversion, a new id, the present time, the party."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what would happen to a partner's events, on a chain of its own that is thrown away.

    Of each event whether it would be accepted, and if not why; of each order how it would stand, and what its customer
    would be told. Nothing of this home is read or written, and nobody is written to. Exit code 1 if any would be
    rejected.
    """
    events = read_events(file)
    documents = [filled(each, party) for each in events] if fill else events
    found = _rehearse(party, documents, open_missing, quiet=as_json)
    if as_json:
        print_json({"party": party, **{each: found.count(each) for each in _OUTCOMES}} | _document(found))
    else:
        from cli.render.conformance import rehearsal

        unknown = (each.type for each in found.verdicts if _is_unknown_type(each.problem))
        lacking = None if fill or not found.count("rejected") else hint_to_fill(events)
        made_up = {number for number, each in enumerate(events, 1) if fill and not each.get("id")}
        show(rehearsal(_document(found), [*filter(None, [lacking]), *hints_for_types(unknown)], made_up))
    if found.count("rejected"):
        raise typer.Exit(1)


def _rehearse(party: str, documents: list[dict[str, object]], open_missing: bool, quiet: bool) -> Rehearsal:
    import asyncio

    from events.party import PARTNER_ROLES, PartyError, check_party
    from services.conformance import rehearse
    from services.logs import configure_logs
    from services.server import ServerError
    from services.simulation import SimulationError

    try:
        check_party(party, PARTNER_ROLES)
        configure_logs("partner test", level="error")
        with counting("Trying", len(documents), quiet) as moved:
            return asyncio.run(
                rehearse(party, documents, datetime.now(UTC), open_missing=open_missing, on_progress=moved)
            )
    except PartyError as error:
        raise Problem(f"{one_line(error)}.") from None
    except (ServerError, SimulationError, TimeoutError, OSError) as error:
        raise Problem(f"the test cannot run ({one_line(error) or type(error).__name__}).") from None


def _is_unknown_type(problem: dict[str, Any] | None) -> bool:
    return str((problem or {}).get("type")).endswith(":unknown-type")


def _document(found: Rehearsal) -> dict[str, object]:
    document = asdict(found)
    return {"events": list(document["verdicts"]), "orders": list(document["orders"])}
