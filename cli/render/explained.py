"""Why what is owed is due when it is: the rule, from when it counts, what does not count, what moved it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from cli.render.lines import Hanging
from cli.render.look import with_parties
from cli.render.moments import Moments, parse
from cli.render.move import by
from cli.render.opening import not_counted
from cli.render.owed import is_to, paused, who
from cli.render.plain import word

if TYPE_CHECKING:
    from cli.explaining import Explained
    from cli.inforce import InForce

Row = dict[str, Any]

_MARGIN = 12

#: For what time stood still.
_WAITED = {"customer": "for the customer", "cover": "for who pays to be decided,", "item": "for the item"}


def explained(about: Row, in_force: InForce, found: Sequence[Explained], moments: Moments) -> Iterator[RenderableType]:
    """Each commitment with its reasons."""
    kind = f"category {word(about['category'])}" if about.get("category") else "no category"
    adopted = parse(in_force.adopted_at)
    named = f"policy {in_force.policy.digest}"
    told = f"{named}, adopted {moments.at(adopted)}" if adopted else f"the built-in policy ({in_force.policy.digest})"
    head = Text(word(about.get("order_id")), style="bold")
    yield head.append(f": {kind}, {word(about.get('urgency')) or 'routine'}; {told}", style="not bold")
    if not found:
        yield Text("\nNothing is owed on it now; --all explains what was.")
    for each in found:
        yield Text("")
        yield _headline(each.row, moments)
        for label, text in _reasons(each, moments):
            yield Hanging(Text(f"  {label:<{_MARGIN - 2}}", style="dim"), text, Text(" " * _MARGIN))
    yield Text(f"\ntimes are {moments.zone_name()}", style="dim")


def _headline(row: Row, moments: Moments) -> Text:
    text = with_parties(is_to(row.get("owner"), row.get("kind"), row.get("topic")), "bold")
    due, ended, state = parse(row.get("due_at")), parse(row.get("ended_at")), word(row.get("state"))
    if state == "paused":
        return text.append(f": {paused(row)}", style="yellow")
    if state in ("open", "overdue"):
        return text.append_text(by(due, moments))
    text.append(f" by {moments.at(due)}" if due else "")
    if state in ("met", "met_late") and ended:
        style = "red" if state == "met_late" else "green"
        return text.append(f": {'✗ late' if state == 'met_late' else '✓ kept'}, {moments.at(ended)}", style=style)
    return text.append(": no longer needed", style="dim")


def _reasons(each: Explained, moments: Moments) -> Iterator[tuple[str, Text]]:
    row, rule, count = each.row, each.rule, each.count
    yield "opened", Text(moments.at(count.start))
    first, *others = rule.lines()
    yield "rule", with_parties(first)
    for line in others:
        yield "", with_parties(line, "dim")
    if word(row.get("rule")) != rule.rule.name:
        yield "", Text(f"(It was judged by '{word(row.get('rule'))}' of the policy that held then.)", style="yellow")
    skipped = not_counted(count.days, moments)
    hours = "around the clock" if rule.rule.around_the_clock else f"in the opening hours of {who(row.get('owner'))}"
    yield (
        "by rule",
        with_parties(f"{moments.at(count.due)}, {hours}{f'; not counted: {skipped}' if skipped else ''}"),
    )
    yield from _moved(each, moments)


def _moved(each: Explained, moments: Moments) -> Iterator[tuple[str, Text]]:
    """What put the due time elsewhere than the rule does."""
    row = each.row
    promised, first, due = (parse(row.get(name)) for name in ("promised_at", "first_promised_at", "due_at"))
    if promised:
        by = f" by {word(row['promised_by'])}" if row.get("promised_by") else ""
        told = f"{moments.at(promised)}{by}"
        if first and first != promised:
            told += f"; {row.get('promises')} dates were named, the first was {moments.at(first)}"
        if row.get("kind") == "update":
            told += "; whatever comes first counts, and we owe it an hour before"
        yield (
            "promised",
            with_parties(told + ("" if row.get("kind") == "update" else "; a promise goes before the rule")),
        )
    if row.get("state") == "paused" or (due and _elsewhere(due, each, promised)):
        for wait in each.row.get("waits") or ():
            begin, end = moments.at(datetime.fromisoformat(wait["from"])), parse(wait["until"])
            until = f" to {moments.at(end)}" if end else " on"
            yield "waited", Text(f"{_WAITED[wait['for']]} from {begin}{until}: that time does not count")


def _elsewhere(due: datetime, each: Explained, promised: datetime | None) -> bool:
    """Whether the due time is neither what the rule gives nor what was promised."""
    return due not in (each.count.due, promised) and each.row.get("kind") != "update"
