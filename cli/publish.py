"""publish: hand events in, as a partner or as the operator, and wait for the receipts."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.connecting import with_chain
from cli.envelopes import read_events, submissions
from cli.errors import Problem, one_line
from cli.nearest import hints_for_types
from cli.options import Json, place_of
from cli.output import moments_now, print_json, show
from cli.place import Place
from cli.progress import counting
from cli.render.plain import many
from cli.until_shown import show_soon

if TYPE_CHECKING:
    from nats.aio.client import Client

    from services.submission import PublishReport, Receipt, Submission

    #: By party and event id; the same id twice in a file has two receipts.
    Receipts = dict[tuple[str, str | None], list[Receipt]]

#: A wait for receipts ends after so long without any (seconds): then no service seems to take submissions in.
PATIENCE = 20.0
#: Queries lag behind a receipt by a moment; it is waited for, so that the next command shows what was published.
SHOWN_WITHIN = 10.0


def publish(
    ctx: typer.Context,
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="Events as a JSON object, an array or JSON Lines; - reads standard input."),
    ],
    party: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="ROLE:NAME", help="Publish as this partner, with its own credentials; else as the operator."
        ),
    ] = None,
    fill: Annotated[
        bool,
        typer.Option(
            "--fill", help="Make up what is missing: specversion, a new id, the present time, --as as source."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish events and wait for their receipts.

    As the operator, each event is handed in for the party in its source. An event that was published before is told
    apart by its source and id and adds nothing. One about an order that nobody has opened yet is held, and taken in by
    itself once somebody has. Exit code 1 if any was rejected.
    """
    from cli.render.receipts import receipts as rendered

    place = place_of(ctx)
    handed_in = submissions(read_events(file), party, fill)
    login = partner_login(place, party) if party else None
    found, report = hand_in(place, handed_in, login, quiet=as_json)
    if report.position:
        show_soon(place, report.position, SHOWN_WITHIN)
    if as_json:
        print_json(_document(found, report))
    else:
        show(rendered(_rows(handed_in, found), moments_now(), hints=_hints(handed_in, found)))
    if report.unanswered:
        raise Problem(
            f"{many(report.unanswered, 'submission')} got no receipt in {PATIENCE:.0f} s: do all services run? "
            "'repairchain doctor' tells. Publishing again is safe."
        )
    if report.rejected:
        raise typer.Exit(1)


def hand_in(
    place: Place, handed_in: list[Submission], login: dict[str, str] | None, quiet: bool
) -> tuple[list[Receipt], PublishReport]:
    """The last receipt of each submission, in their order, and the sum. Raises Problem if the chain goes away."""
    from services.publishing import PublishError, publish_submissions

    latest: Receipts = {}

    async def work(connection: Client) -> PublishReport:
        with counting("Publishing", len(handed_in), quiet or len(handed_in) < 100) as moved:
            return await publish_submissions(
                connection,
                handed_in,
                on_receipt=lambda receipt: _keep(latest, receipt),
                on_progress=lambda report: moved(report.answered),
                timeout=PATIENCE,
            )

    try:
        report = with_chain(place, work, login, keep_trying=True)
    except PublishError as error:
        raise Problem(f"{one_line(error)}; publishing again is safe.") from None
    in_order = [latest.pop((each.party, each.id), []) for each in handed_in]
    return [receipt for known in (*in_order, *latest.values()) for receipt in known], report


def _keep(latest: Receipts, receipt: Receipt) -> None:
    """Remember a receipt; one that says what became of what was held replaces that."""
    known = latest.setdefault((receipt.party, receipt.id), [])
    known[:] = [each for each in known if each.outcome != "held"]
    known.append(receipt)


def partner_login(place: Place, party: str) -> dict[str, str]:
    """How a partner logs in, as arguments for a connection.

    Raises Problem if it is kept out, or if this home holds no secret of its.
    """
    from events.party import PartyError, check_party
    from services.credentials import BrokenSecretError, CredentialError, NotKeptError, credential

    try:
        _require_let_in(place, check_party(party))
        found = credential(place.home, party)
    except PartyError as error:
        raise Problem(f"{one_line(error)}.") from None
    except BrokenSecretError as error:
        raise Problem(f"{one_line(error)}.") from None
    except NotKeptError as error:
        raise Problem(f"{one_line(error)}: leave --as away to publish for it as the operator.") from None
    except (CredentialError, OSError, ValueError) as error:
        raise Problem(f"{one_line(error)}: register it with 'repairchain partner add {shlex.quote(party)}'.") from None
    return found.options


def _require_let_in(place: Place, party: str) -> None:
    """Raises Problem, with since when and what lets it in again: the server would only say that it does not know it."""
    from cli.render.partner import resume_with
    from services.access import kept_out

    found = kept_out(place.home).get(party)
    if found is not None:
        again = " with a new secret" if found.state == "revoked" else ""
        raise Problem(
            f"{party} has been {found.state} since {moments_now().both(found.since)}: "
            f"{resume_with(party)} lets it in again{again}."
        )


def _hints(handed_in: list[Submission], found: list[Receipt]) -> list[str]:
    """Of each type that the chain does not know, which may be meant."""
    unknown = {(each.party, each.id) for each in found if each.kind == "unknown-type"}
    return hints_for_types(str(each.event.get("type")) for each in handed_in if (each.party, each.id) in unknown)


def _rows(handed_in: list[Submission], found: list[Receipt]) -> list[dict[str, Any]]:
    """The receipts for people: where one names no order, the one that its event named tells which event it was."""
    named = {(each.party, each.id): each.event.get("subject") for each in handed_in}
    return [{"order": named.get((each.party, each.id))} | receipt_row(each) for each in found]


def receipt_row(receipt: Receipt) -> dict[str, Any]:
    """A receipt as the chain sends it."""
    row = receipt._asdict()
    return {"id": row.pop("id"), "source": row.pop("party")} | {
        key: value for key, value in row.items() if value is not None
    }


def _document(found: list[Receipt], report: PublishReport) -> dict[str, Any]:
    counts = {
        name: getattr(report, name) for name in ("submitted", "accepted", "duplicate", "held", "rejected", "unanswered")
    }
    return counts | {"receipts": [receipt_row(each) for each in found]}
