"""calendar show, calendar check: when parties are open, and when something would be due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import print_json, show
from cli.quick import QuickCommand, QuickGroup

if TYPE_CHECKING:
    from cli.counting import Count, Day
    from projections.calendar import Calendar
    from projections.policy import Amount, Policy

#: So many days ahead are holidays shown: half a year.
_AHEAD: Final = 183
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

app = typer.Typer(
    cls=QuickGroup, rich_markup_mode=None, no_args_is_help=True, help="When parties are open, and what that makes due."
)


@app.command("show", cls=QuickCommand)
def show_(
    ctx: typer.Context,
    party: Annotated[
        str | None, typer.Argument(metavar="ROLE:NAME", show_default=False, help="Only of this party.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show when parties are open.

    Opening hours as the policy in force says, the public holidays of the next half year, and announced closures.
    """
    from cli.asking import ask
    from cli.inforce import policy_in_force

    if party is not None:
        _check(party)
    place = place_of(ctx)
    policy, now = policy_in_force(place).policy, datetime.now(UTC)
    calendars = [(party, policy.calendar_of(party))] if party is not None else _all(policy)
    if party is not None:
        closures = [{"party": party} | row for row in ask(place, "closures", {"party": party})["closures"]]
    else:
        rows = ask(place, "parties")["parties"]
        closures = [{"party": row["party"]} | each for row in rows for each in row["closures"]]
    coming = [row for row in closures if datetime.fromisoformat(row["until"]) > now]
    if as_json:
        print_json({"calendars": [_document(whose, each, now) for whose, each in calendars], "closures": coming})
        return
    from cli.render.opening import opening

    show(opening([(whose, each, _holidays(each, now)) for whose, each in calendars], coming, now))


@app.command(cls=QuickCommand)
def check(
    ctx: typer.Context,
    party: Annotated[str, typer.Argument(metavar="ROLE:NAME", help="Whose opening hours count.")],
    add: Annotated[str, typer.Option(metavar="TIME", help="How long it may take: '2 working days', '24 hours'.")],
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="T",
            help="An ISO date or date-time, by the party's clock unless it names a zone; now by default.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say when something would be due, and how that comes, day by day.

    Which opening hours count, which days do not, and why: the party's calendar, public holidays, announced closures.
    """
    from cli.counting import count
    from cli.inforce import closures_of, policy_in_force

    _check(party)
    amount = _amount(add)
    place = place_of(ctx)
    calendar = policy_in_force(place).policy.calendar_of(party)
    counted = count(calendar, _start(start, calendar), amount, closures_of(place, party))
    if as_json:
        print_json(_counted(party, counted))
        return
    from cli.render.opening import counting

    show(counting(party, calendar, counted))


def _check(party: str) -> None:
    from events.party import PartyError, check_party

    try:
        check_party(party)
    except PartyError as error:
        raise Problem(f"{error}.") from None


def _amount(text: str) -> Amount:
    from projections.policy import Amount

    try:
        return Amount.parse(text)
    except ValueError as error:
        raise Problem(f"{error}.") from None


def _start(text: str | None, calendar: Calendar) -> datetime:
    """Where counting begins: a bare date is the beginning of that day, and without a zone it is the party's clock."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=calendar.zone)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(
            f"'{text}' is not a moment for --from: write an ISO date or date-time such as 2026-11-21T16:30."
        ) from None
    return moment


def _all(policy: Policy) -> list[tuple[str | None, Calendar]]:
    """Every calendar with whose it is: None is that of everybody else."""
    return [(None, policy.calendar), *sorted(policy.calendars.items())]


def _holidays(calendar: Calendar, now: datetime) -> list[tuple[Any, str | None]]:
    from cli.counting import coming_holidays

    return list(coming_holidays(calendar, now.astimezone(calendar.zone).date(), _AHEAD))


def _document(whose: str | None, calendar: Calendar, now: datetime) -> dict[str, Any]:
    from projections.calendar import write_slots

    return {
        "whose": whose,
        "time_zone": calendar.time_zone,
        "week": {day: write_slots(slots) for day, slots in zip(_WEEKDAYS, calendar.week, strict=True)},
        "day_seconds": int(calendar.day_length.total_seconds()),
        "holidays": calendar.holidays,
        "coming_holidays": [{"day": day.isoformat(), "name": name} for day, name in _holidays(calendar, now)],
    }


def _counted(party: str, counted: Count) -> dict[str, Any]:
    return {
        "party": party,
        "from": _iso(counted.start),
        "add": str(counted.amount),
        "due": _iso(counted.due),
        "steps": [_step(day) for day in counted.days],
    }


def _step(day: Day) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "seconds": int(day.counted.total_seconds()),
        "spans": [{"from": _iso(begin), "until": _iso(until)} for begin, until in day.spans],
        "why": day.why,
        "name": day.name,
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
