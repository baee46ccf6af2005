"""An old log goes into a database of its own: no chain, no intake, nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import ValidationError

from events.envelope import make_event, split_type
from events.party import POLICY, WATCHDOG
from events.vocabulary import read_data
from projections.database import Database
from projections.mirror import Message
from projections.policy import Policy
from services.importing import ImportReport, Mapping, facts_from

#: Facts that are mirrored at a time.
_BATCH: Final = 50_000
_SOMEBODY: Final = "unknown"
#: Before anything that a log can tell.
_BEFORE_ALL: Final = datetime(1, 1, 2, tzinfo=UTC)

#: Told how many facts were read by now.
Progress = Callable[[int], None]


@dataclass
class Loaded:
    """What was read. ``refused`` facts are those that the chain would not take in."""

    read: ImportReport
    facts: int = 0
    refused: int = 0


def load(
    database: Database, mapping: Mapping, files: Sequence[Path], policy: Policy | None, on_progress: Progress
) -> Loaded:
    """Fill an empty database with the log, as if ``policy`` (None: the built-in one) had always held.

    Raises LogError if a file cannot be read as the log that the mapping describes.
    """
    loaded = Loaded(ImportReport())
    events = (submission.event for submission in facts_from(mapping, files, loaded.read))
    fill(database, events, policy, loaded, on_progress)
    return loaded


def fill(
    database: Database,
    events: Iterable[dict[str, Any]],
    policy: Policy | None,
    loaded: Loaded,
    on_progress: Progress = lambda _: None,
) -> None:
    """Fill an empty database with ``events`` (CloudEvents), each recorded when it happened, and count them."""
    batch: list[Message] = []
    for message in _messages(events, policy, loaded):
        batch.append(message)
        if len(batch) >= _BATCH:
            database.mirror_only(batch)
            batch = []
            on_progress(loaded.facts)
    database.mirror_only(batch)
    on_progress(loaded.facts)
    database.rebuild()


def _messages(events: Iterable[dict[str, Any]], policy: Policy | None, loaded: Loaded) -> Iterator[Message]:
    position = 0
    if policy is not None:
        position += 1
        yield position, _adoption(policy)
    for event in events:
        if not _is_taken(event):
            loaded.refused += 1
            continue
        position += 1
        loaded.facts += 1
        yield position, orjson.dumps({**event, "recordedtime": event["time"], "data": _with_a_customer(event)})


def _adoption(policy: Policy) -> bytes:
    return make_event(
        "policy.adopted",
        source=WATCHDOG,
        id=f"backtest:{policy.digest}",
        subject=POLICY,
        time=_BEFORE_ALL,
        recordedtime=_BEFORE_ALL,
        data={"digest": policy.digest, "policy": policy.canonical()},
    ).to_json()


def _with_a_customer(event: dict[str, Any]) -> dict[str, Any]:
    """The data of ``event``: whoever brought it in is somebody, whether the log names her or not."""
    data: dict[str, Any] = event["data"]
    return {"customer": _SOMEBODY} | data if split_type(event["type"])[0] == "order.opened" else data


def _is_taken(event: dict[str, Any]) -> bool:
    """Whether the vocabulary takes what the fact says: the mapping was checked only as far as rows do not matter."""
    return _fits(event["type"], orjson.dumps(event["data"]))


@lru_cache(maxsize=16_384)
def _fits(full_type: str, data: bytes) -> bool:
    name, version = split_type(full_type)
    try:
        return read_data(name, version, orjson.loads(data)) is not None
    except ValidationError:
        return False
