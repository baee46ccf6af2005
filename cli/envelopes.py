"""Reads files of events to be published: one JSON object, an array, or JSON Lines; and what is filled in on request."""

from __future__ import annotations

import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from cli.errors import Problem, one_line
from services.home import open_given

if TYPE_CHECKING:
    from services.submission import Submission

Event = dict[str, Any]

#: All of it is held at once, in several times that room; and it may have no end (bytes).
_MOST: Final = 256 * 1024 * 1024

#: Without these nobody can tell what the event is; the order it is about is intake's to ask for.
_NEEDED = ("specversion", "id", "source", "type", "time")
#: And these are made up where that is asked for; the source only where it is said whose events they are.
_MADE_UP = ("specversion", "id", "source", "time")


def read_events(file: str) -> list[Event]:
    """The events in ``file`` (``-`` is standard input). Raises Problem that says where it cannot be read."""
    name = "standard input" if file == "-" else file
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(_MOST + 1)
        else:
            with open_given(Path(file)) as opened:
                raw = opened.read(_MOST + 1)
    except OSError as error:
        raise Problem(f"{name} cannot be read: {(error.strerror or one_line(error)).lower()}.") from None
    if len(raw) > _MOST:
        raise Problem(f"{name} is longer than {_MOST >> 20} MB: publish it in parts.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Problem(f"{name}, line {line} is not UTF-8 text: events are JSON in UTF-8.") from None
    found = _parse(text, name)
    for number, event in enumerate(found, start=1):
        if not isinstance(event, dict):
            raise Problem(f"{name}: event {number} is not a JSON object, so it is no event.")
    if not found:
        raise Problem(f"{name} holds no event.")
    return found


def _parse(text: str, name: str) -> list[Any]:
    """One document, or else a document a line."""
    try:
        document = _load(text)
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
        if len(lines) < 2 or not lines[0][1].rstrip().endswith("}"):
            raise Problem(f"{name} is not JSON: {one_line(error)}.") from None
    else:
        return document if isinstance(document, list) else [document]
    events = []
    for number, line in lines:
        try:
            events.append(_load(line))
        except ValueError as error:
            raise Problem(f"{name}, line {number} is not JSON: {one_line(error)}.") from None
    return events


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON value")


def submissions(events: list[Event], party: str | None, fill: bool) -> list[Submission]:
    """The events, each in the name of ``party`` or of its own source. Raises Problem for what is missing."""
    from events.party import PARTNER_ROLES, PartyError, check_party, name_of, role_of
    from services.submission import Submission

    if party is not None:
        try:
            check_party(party, PARTNER_ROLES)
        except PartyError as error:
            raise Problem(f"{one_line(error)}.") from None
    made = []
    for number, event in enumerate(events, start=1):
        complete = filled(event, party) if fill else event
        if lacking := [field for field in _NEEDED if field not in complete]:
            raise Problem(
                f"event {number} lacks {', '.join(lacking)}: say so in the file"
                + (", or have specversion, id and time made up with --fill." if not fill else ".")
            )
        speaker = party or complete["source"]
        try:
            check_party(speaker if isinstance(speaker, str) else repr(speaker))
        except PartyError as error:
            raise Problem(f"event {number} has a source that cannot publish: {one_line(error)}.") from None
        made.append(Submission(role_of(speaker), name_of(speaker), complete))
    return made


def hint_to_fill(events: list[Event]) -> str | None:
    """That ``--fill`` makes up what ``events`` lack, where they lack something of that."""
    lacking = [
        (number, [field for field in _MADE_UP if field not in event]) for number, event in enumerate(events, start=1)
    ]
    found = [(number, fields) for number, fields in lacking if fields]
    if not found:
        return None
    number, fields = found[0]
    more = " (other events lack something, too)" if len(found) > 1 else ""
    return f"Event {number} lacks {', '.join(fields)}{more}: --fill makes that up."


def filled(event: Event, party: str | None) -> Event:
    """The event with what ``--fill`` makes up: a new id, the present time, and the party as its source."""
    made_up = {"specversion": "1.0", "id": str(uuid.uuid4()), "time": datetime.now(UTC).isoformat()}
    if party is not None:
        made_up["source"] = party
    return {field: value for field, value in made_up.items() if field not in event} | event
