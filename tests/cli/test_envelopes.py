"""Files of events: how they are read, and what is filled in only when asked for."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cli import envelopes
from cli.envelopes import hint_to_fill, read_events, submissions
from cli.errors import Problem

EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": "retailer:juno",
    "type": "repairchain.item.received.v1",
    "subject": "W-1",
    "time": "2026-11-21T10:00:00Z",
    "data": {},
}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (json.dumps(EVENT), 1),
        (json.dumps(EVENT, indent=2), 1),
        (json.dumps([EVENT, EVENT]), 2),
        (f"{json.dumps(EVENT)}\n\n{json.dumps(EVENT)}\n", 2),
        ("\ufeff" + json.dumps(EVENT), 1),
    ],
)
def test_an_object_an_array_or_lines(text: str, count: int, tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_text(text, encoding="utf-8")
    assert read_events(str(file)) == [EVENT] * count


def test_what_has_no_end_and_what_nobody_writes_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(envelopes, "_MOST", 1024 * 1024)
    with pytest.raises(Problem, match=r"/dev/zero is longer than 1 MB: publish it in parts\.$"):
        read_events("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Problem, match="pipe is not JSON"):
        read_events(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b"[]", "holds no event"),
        (b"[1]", "event 1 is not a JSON object"),
        (b'{"a": 1}\n{"a": \n', "line 2 is not JSON"),
        (b'{"a": NaN}', "NaN is not a JSON value"),
        (b'{"a": 1}\n\n{"a": "\xff"}', "line 3 is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"<xml/>\n<more/>", "is not JSON"),
    ],
)
def test_what_cannot_be_read_names_the_place(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(content)
    with pytest.raises(Problem, match=said):
        read_events(str(file))


def test_each_event_is_its_source_s_own() -> None:
    made = submissions([EVENT, EVENT | {"source": "repairer:tick"}], None, fill=False)
    assert [each.party for each in made] == ["retailer:juno", "repairer:tick"]
    assert made[0].event == EVENT


def test_as_says_who_speaks_and_leaves_the_event_alone() -> None:
    assert submissions([EVENT], "importer:noord", fill=False)[0] == ("importer", "noord", EVENT)


@pytest.mark.parametrize("missing", ["specversion", "id", "time", "source", "type"])
def test_nothing_is_made_up_unasked(missing: str) -> None:
    event = {key: value for key, value in EVENT.items() if key != missing}
    with pytest.raises(Problem, match=f"event 1 lacks {missing}"):
        submissions([event], "retailer:juno", fill=False)


def test_fill_makes_up_what_is_missing_and_nothing_else() -> None:
    bare = {key: EVENT[key] for key in ("type", "subject", "data")}
    first, second = (each.event for each in submissions([bare, bare], "retailer:juno", fill=True))
    assert first["id"] != second["id"]
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    assert (first["specversion"], first["source"]) == ("1.0", "retailer:juno")
    assert submissions([EVENT], None, fill=True)[0].event == EVENT
    with pytest.raises(Problem, match="event 1 lacks source"):
        submissions([bare], None, fill=True)


@pytest.mark.parametrize("source", ["juno", 7, None, ["retailer:juno"], "baker:bob"])
def test_a_source_that_is_no_party(source: Any) -> None:
    with pytest.raises(Problem, match="event 1 has a source that cannot publish"):
        submissions([EVENT | {"source": source}], None, fill=False)


@pytest.mark.parametrize("party", ["juno", "customer:C-1", "chain:watchdog"])
def test_whom_it_is_published_as_is_checked_before_the_events(party: str) -> None:
    with pytest.raises(Problem, match=f"'{party}' is not a party: .* retailer, importer, repairer\\.$"):
        submissions([{}], party, fill=False)


def test_what_would_be_made_up_is_named() -> None:
    assert hint_to_fill([EVENT, {key: value for key, value in EVENT.items() if key != "subject"}]) is None
    bare = {"type": EVENT["type"]}
    lacking = "lacks specversion, id, source, time"
    assert hint_to_fill([EVENT, bare]) == f"Event 2 {lacking}: --fill makes that up."
    assert (
        hint_to_fill([bare, EVENT, bare])
        == f"Event 1 {lacking} (other events lack something, too): --fill makes that up."
    )
