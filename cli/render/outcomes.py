"""How what was owed ended: a line for each commitment that a fact opened, and how many were kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from cli.render.look import with_parties
from cli.render.moments import Moments, parse, span
from cli.render.owed import FORGOTTEN, is_to, is_void_news, paused, place_of_kind, to_do
from cli.render.plain import word

Row = dict[str, Any]

#: What the panel counts, with its style, in this order.
#: In seconds; as commitments.py has it.
_A_MOMENT: Final = 60
_COUNTED: Final = (("kept", ""), ("kept late", "yellow"), ("overdue", "red"), ("open", ""), ("paused", "yellow"))


def by_opener(commitments: Iterable[Row]) -> dict[str, list[Row]]:
    """Commitments by the fact that opened them (order/source/id, with which each one's id ends)."""
    found: dict[str, list[Row]] = {}
    for each in sorted(commitments, key=lambda row: place_of_kind(row.get("kind"))):
        found.setdefault(word(each.get("commitment_id")).partition("/")[2], []).append(each)
    return found


def outcomes(opened: Iterable[Row], moments: Moments, *, raw: bool = False) -> Iterator[Text]:
    """What was opened, and how each ended; without ``raw`` not what never mattered."""
    for each in opened:
        if raw or not _idle(each):
            yield _outcome(each, moments)


def counts(commitments: Iterable[Row], moments: Moments) -> Text:
    """``8 kept · 1 kept late · 2 open``."""
    counted = Counter(_standing(each, moments) for each in commitments if not is_void_news(each))
    text = Text(f"{counted['kept']} kept")
    for standing, style in _COUNTED[1:]:
        if counted[standing]:
            text.append(" · ").append(f"{counted[standing]} {standing}", style=style)
    return text


def _due(commitment: Row) -> datetime | None:
    """By when it was expected: news by the moment that she was promised, later than what we set ourselves."""
    promised = parse(commitment.get("promised_at")) if commitment.get("kind") == "update" else None
    return promised or parse(commitment.get("due_at"))


def _late(commitment: Row, now: datetime) -> float:
    """How many seconds it was late when it ended, or is by now; not above 0 if it is not."""
    due, ended = _due(commitment), parse(commitment.get("ended_at"))
    late = ((ended or now) - due).total_seconds() if due else 0.0
    # The question whether all is well goes out when it is due, and takes a moment.
    return 0.0 if commitment.get("kind") == "check" and 0 < late < _A_MOMENT else late


def _standing(commitment: Row, moments: Moments) -> str:
    state, late = word(commitment.get("state")), _late(commitment, moments.now) > 0
    return {"met": "kept late" if late else "kept", "open": "overdue" if late else "open"}.get(state, state)


def _idle(commitment: Row) -> bool:
    """Whether it never mattered: superseded before it was due, or news that came before any was promised."""
    ended = parse(commitment.get("ended_at"))
    if ended is None or _late(commitment, ended) > 0:
        return False
    told_at_once = commitment.get("kind") == "update" and not commitment.get("promised_at")
    return commitment.get("state") == "cancelled" or told_at_once


def _outcome(commitment: Row, moments: Moments) -> Text:
    if is_void_news(commitment):
        what = "next news" if commitment.get("kind") == "update" else to_do(commitment.get("kind"))
        return Text(f"{what}: {FORGOTTEN}", style="yellow")
    kind, due, ended = commitment.get("kind"), _due(commitment), parse(commitment.get("ended_at"))
    news = kind == "update"
    what = "next news" if news else is_to(commitment.get("owner"), kind, commitment.get("topic"))
    text = with_parties(f"{what} by {moments.at(due)}" if due else what, "dim").append_text(_moved(commitment, moments))
    text.append(": ")
    late, state = _late(commitment, moments.now), word(commitment.get("state"))
    if state == "met" and ended:
        if late > 0:
            return text.append(f"✗ {span(late)} late, {moments.at(ended)}", style="red")
        return text.append("✓ kept", style="green").append(f", {moments.at(ended)}", style="dim")
    if state == "paused":
        return text.append(paused(commitment), style="yellow")
    if state == "open":
        if late > 0:
            return text.append(f"✗ overdue by {span(late)}", style="bold red")
        return text.append(f"open, {moments.relative(due)}" if due else "open", style="yellow")
    if state == "cancelled" and late > 0:
        return text.append(f"✗ {span(late)} overdue when it was no longer needed", style="red")
    return text.append({"cancelled": "no longer needed"}.get(state, state), style="dim")


def _moved(commitment: Row, moments: Moments) -> Text:
    """The date that was named first, if it is not the one that was named last."""
    first, last = parse(commitment.get("first_promised_at")), parse(commitment.get("promised_at"))
    if not first or not last or first == last:
        return Text("")
    return Text(f" (first promised by {moments.at(first)})", style="dim")
