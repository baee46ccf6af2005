"""Partners: a list, one in full, and what a new secret means for whoever has the old one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from cli.render.look import party as coloured
from cli.render.moments import Moments, parse
from cli.render.plain import word
from cli.render.tables import plain_table

Row = dict[str, Any]

_ACTIVE: Final = "active"
#: How wide the names of one partner's fields are.
_WIDTH: Final = 12


def partners(rows: list[Row], moments: Moments) -> Iterator[RenderableType]:
    """All of them, a line each; what was replaced and still works stands below whether they are let in."""
    table = plain_table("Partner", "Access", "Name", "Phone", "E-mail", "Person", "Webhook")
    for row in rows:
        let_in = row["access"] == _ACTIVE
        access = Text(row["access"], style="" if let_in else "red")
        if since := parse(row.get("access_since")):
            access.append(f"\nsince {moments.day(since)}", style="red")
        for what, moment in _old(row, moments) if let_in else ():
            access.append(f"\nold {what} until {moment}", style="yellow")
        rest = (word(row.get(column)) for column in ("display_name", "phone", "email", "person", "webhook"))
        table.add_row(coloured(row["party"]), access, *(Text(value or "–") for value in rest))
    yield table


def partner(row: Row, moments: Moments) -> Iterator[Text]:
    """One of them: whether it is let in, with what, where it is reached, and its subjects. No line is to be broken."""
    yield coloured(row["party"]).append(f", {word(row.get('display_name'))}", style="bold default")
    for name, value in (*_entry(row, moments), *_card(row)):
        yield _field(name, value)


def _field(name: str, value: str | Text) -> Text:
    return Text(f"  {name:<{_WIDTH}}", style="dim").append_text(Text(style="not dim").append(value))


def _entry(row: Row, moments: Moments) -> Iterator[tuple[str, str | Text]]:
    """Whether it is let in, and what lets it in."""
    let_in, since = row["access"] == _ACTIVE, parse(row.get("access_since"))
    access = Text(row["access"], style="green" if let_in else "red")
    yield "access", access.append(f" since {moments.both(since)}" if since else "")
    if not let_in:
        yield "let in by", f"repairchain partner resume {shlex.quote(row['party'])}"
    for name in ("nkey", "credentials"):
        if row.get(name) is not None:
            yield name, word(row[name])
    kept_out = "opens nothing while it is kept out"
    if row.get("http_key"):
        yield "HTTP key", "in force" if let_in else f"made; {kept_out}"
    elif let_in:
        yield "HTTP key", f"none; 'repairchain partner key {shlex.quote(row['party'])}' makes one"
    for what, moment in _old(row, moments):
        # The time of the old one passes while its party is kept out, too.
        works = f"works until {moment}" if let_in else f"{kept_out}, and nothing at all from {moment} on"
        yield f"old {what}", Text(works, style="yellow" if let_in else "")


def _card(row: Row) -> Iterator[tuple[str, str]]:
    shown = {name: row.get(name) for name in ("phone", "email", "person", "language", "webhook", "welcome")}
    for name, value in {**shown, **row.get("subjects", {})}.items():
        if value is not None:
            yield name, word(value)


def _old(row: Row, moments: Moments) -> list[tuple[str, str]]:
    """What was replaced of a partner's and has time left, and until when."""
    kinds = (("secret", parse(row.get("old_secret_until"))), ("key", parse(row.get("old_key_until"))))
    return [(what, moments.at(moment)) for what, moment in kinds if moment is not None]


def rotated(row: Row, moments: Moments) -> Iterator[Text]:
    """What ``rotate`` did: the new secret, the old one, what to do with the new. No line is to be broken."""
    yield coloured(row["party"]).append(" has a new secret.\n", style="default")
    old, file = parse(row.get("old_secret_until")), row.get("credentials")
    yield _field("new secret", f"in {word(file)}" if file else f"its own, of the key {word(row.get('nkey'))}")
    yield _field("old secret", f"works until {moments.both(old)}, beside it" if old else "opens nothing any more")
    if file:
        yield Text("\nHand over that file, in a safe way. Once handed over it may be deleted here.")


def resume_with(party: str) -> str:
    """The command that lets ``party`` in again, quoted."""
    return f"'repairchain partner resume {shlex.quote(party)}'"
