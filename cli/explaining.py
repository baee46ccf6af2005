"""policy explain: why something is due when it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.asking import ask
from cli.options import Json, OrderName, place_of
from cli.output import moments_now, print_json, show

if TYPE_CHECKING:
    from cli.counting import Count
    from cli.inforce import Closure, InForce
    from projections.policy import Explanation

Row = dict[str, Any]

#: Nobody lists more than this of one order.
_ALL: Final = 100_000
_OPEN: Final = ("open", "overdue", "paused")


@dataclass(frozen=True)
class Explained:
    """A row of the query ``commitments``, the rule that the policy in force has for it, and what follows from that."""

    row: Row
    rule: Explanation
    count: Count


def explain(
    ctx: typer.Context,
    order: OrderName,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what has ended; by default only what is open.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say why what is owed on an order is due when it is.

    Which rule of the policy in force holds and why, from when it counts, and what moved the due time.
    """
    from cli.inforce import closures_of, policy_in_force

    place = place_of(ctx)
    about = ask(place, "status", {"order": order})
    rows: list[Row] = ask(place, "commitments", {"order": about["order_id"], "limit": _ALL})["commitments"]
    in_force = policy_in_force(place)
    closures = {owner: closures_of(place, owner) for owner in sorted({row["owner"] for row in rows})}
    found = [each for each in explain_all(about, rows, in_force, closures) if everything or each.row["state"] in _OPEN]
    if as_json:
        print_json(_document(about, in_force, found))
        return
    from cli.render.explained import explained as rendered

    show(rendered(about, in_force, found, moments_now()))


def explain_all(
    about: Row, rows: list[Row], in_force: InForce, closures: dict[str, list[Closure]]
) -> Iterator[Explained]:
    """Why each of an order's commitments is due when it is; ``about`` is the order, ``closures`` go by owner."""
    from cli.counting import count
    from events.party import role_of

    policy = in_force.policy
    for row in rows:
        owner = str(row["owner"])
        # For a policy all customers are one.
        party = "customer" if role_of(owner) == "customer" else owner
        rule = policy.explain(row["kind"], party, row["counterpart"], about["category"], about["urgency"])
        opened = datetime.fromisoformat(row["opened_at"])
        counted = count(policy.calendar_of(party), opened, rule.rule.amount, closures.get(owner, []))
        yield Explained(row, rule, counted)


def _document(about: Row, in_force: InForce, found: list[Explained]) -> Row:
    return {
        "order": about["order_id"],
        "category": about["category"],
        "urgency": about["urgency"],
        "digest": in_force.policy.digest,
        "adopted_at": in_force.adopted_at,
        "explained": [_entry(each) for each in found],
    }


def _entry(each: Explained) -> Row:
    names = ("commitment_id", "kind", "topic", "owner", "counterpart", "state", "opened_at", "due_at", "ended_at")
    promised = ("promises", "first_promised_at", "promised_at", "promised_by")
    return {name: each.row[name] for name in names} | {
        "judged_by": each.row["rule"],
        "rule": each.rule.rule.name,
        "allow": str(each.rule.rule.amount),
        "why": each.rule.why,
        "fits": [{"name": fit.name, "allow": str(fit.allow)} for fit in each.rule.fits],
        "due_by_rule": _iso(each.count.due),
        **{name: each.row[name] for name in promised},
        "waits": each.row["waits"],
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
