"""What was owed, and whether it came: a line for each expectation that a fact opened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.text import Text

from cli.render.look import with_parties
from cli.render.moments import Moments, parse, span
from cli.render.plain import clean, word

Row = dict[str, Any]


def promises_of(entry: Row, commitments: Iterable[Row], moments: Moments) -> Iterator[Text]:
    """The expectations that ``entry`` opened, and how each ended."""
    name, data = entry.get("type"), entry.get("data") or {}
    # A commitment's id ends with the fact that opened it.
    opener = f"/{entry.get('source')}/{entry.get('id')}"
    for each in commitments:
        if not str(each.get("commitment_id")).endswith(opener):
            continue
        if each.get("kind") == "receipt" and name == "item.handed_over":
            yield _outcome(f"receipt by {clean(each.get('owed_by'))}", each, each.get("due"), moments)
        elif each.get("kind") == "news" and name == "message.sent" and data.get("next_news_by"):
            # She was promised a moment later than the one by which we owe it to ourselves.
            yield _outcome("next news", each, data["next_news_by"], moments)


def _outcome(what: str, commitment: Row, due_text: Any, moments: Moments) -> Text:
    due, met = parse(due_text), parse(commitment.get("settled_at"))
    text = with_parties(f"{what} due {moments.at(due) if due else '?'}: ", "dim")
    state = commitment.get("state")
    if state == "met" and due and met:
        late = (met - due).total_seconds()
        if late > 0:
            return text.append(f"✗ came {span(late)} late, {moments.at(met)}", style="red")
        return text.append("✓ kept", style="green").append(f", {moments.at(met)}", style="dim")
    if state == "open" and due:
        late = (moments.now - due).total_seconds()
        if late > 0:
            return text.append(f"✗ overdue by {span(late)}", style="bold red")
        return text.append(f"open, {moments.relative(due)}", style="yellow")
    ended = {"superseded": "no longer needed, it moved on", "ended": "no longer needed"}
    return text.append(ended.get(str(state), word(state)), style="dim")
