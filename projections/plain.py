"""Messages in the form in which the chain writes them, taken apart without SQL: rows as incoming_events.sql makes them.

DuckDB takes some five milliseconds to set up what that statement does, for a single message as for hundreds. So a small
batch is taken apart here, if each of its messages is plain; if any is not, the statement says what it means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from events import vocabulary
from events.envelope import full_type

#: With so many SQL is done as soon.
MOST: Final = 700

#: DuckDB's own, which nothing else counts.
HASHES: Final = "SELECT hash(order_id) AS order_key, hash(source, id, order_id) AS fact_key FROM hashed"

#: As texts, in the form that `_EACH_A_MOMENT` has.
_MOMENTS: Final = pa.timestamp("us", "UTC")
_COLUMNS: Final = {
    "position": pa.int64(),
    "order_id": pa.string(),
    "type": pa.string(),
    "version": pa.int32(),
    "fact": pa.uint8(),
    "source": pa.string(),
    "id": pa.string(),
    "occurred_at": _MOMENTS,
    "recorded_at": _MOMENTS,
    "correlation_id": pa.string(),
    "causation_id": pa.string(),
    "data": pa.string(),
    "party": pa.string(),
    "word": pa.string(),
    "name": pa.string(),
    "topic": pa.string(),
    "by_when": _MOMENTS,
    "from_when": _MOMENTS,
    "serial": pa.string(),
    "brand": pa.string(),
    "model": pa.string(),
    "items": pa.string(),
    "fault_text": pa.string(),
    "level": pa.int32(),
    "target_source": pa.string(),
    "target_id": pa.string(),
}
_PLACES: Final = {name: place for place, name in enumerate(_COLUMNS)}
_LEFT_OPEN: Final = (None,) * (len(_COLUMNS) - _PLACES["party"])
_TEXT_OR_NONE: Final = (str, type(None))
_NAMES: Final = pa.array(list(vocabulary.FACTS), pa.string())

#: Lines, each with one. In other years moments may be out of bounds.
_EACH_A_MOMENT: Final = re.compile(
    r"(?:[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|\+00:00)\n)*"
)
_PARTY: Final = re.compile(r"(?:retailer|importer|repairer|customer|chain):")


class _NotPlainError(Exception):
    """What it says is for SQL to tell."""


def rows_of(batch: Sequence[tuple[int, bytes]], hashes: Callable[[pa.Table], pa.Table]) -> pa.Table | None:
    """The rows of incoming_events.sql; None if the batch is large or anything in it is not plain.

    ``hashes`` makes the rows of ``HASHES`` from those of `hashed`.
    """
    if len(batch) > MOST:
        return None
    try:
        rows = [_row(position, payload) for position, payload in batch]
        columns: dict[str, Any] = {
            name: _moments(values) if kind is _MOMENTS else pa.array(values, kind)
            for (name, kind), values in zip(_COLUMNS.items(), zip(*rows, strict=True), strict=True)
        }
    # The last two from what is no JSON, or nested beyond measure, or no day of the calendar.
    except (_NotPlainError, ValueError, TypeError):
        return None
    columns["occurred_at"] = pc.min_element_wise(columns["occurred_at"], columns["recorded_at"])
    columns["fact"] = pa.DictionaryArray.from_arrays(columns["fact"], _NAMES)
    hashed = hashes(pa.table({name: columns[name] for name in ("order_id", "source", "id")}))
    columns["order_key"], columns["fact_key"] = hashed["order_key"], hashed["fact_key"]
    return pa.table({name: columns[name] for name in _IN_ORDER})


#: The columns as the statement has them.
_IN_ORDER: Final = (
    *("position", "order_id", "order_key", "type", "version", "fact", "source", "id", "occurred_at", "recorded_at"),
    *("correlation_id", "causation_id", "data", "fact_key"),
    *list(_COLUMNS)[_PLACES["party"] :],
)


def _row(position: int, payload: bytes) -> list[Any]:
    event = orjson.loads(payload)
    # Written as we write it, nothing in it is said twice, and each text stays as it is.
    escapes = b"\\" in payload and rb"\u" in payload
    if type(event) is not dict or escapes or orjson.dumps(event) != payload:
        raise _NotPlainError
    said = event.get
    source, id, subject, data = said("source"), said("id"), said("subject"), said("data")
    correlation, causation = said("correlationid"), said("causationid")
    known = _known().get(said("type", ""))
    occurred, recorded = said("time"), said("recordedtime")
    if known is None or type(data) is not dict or not (source and id and subject and occurred and recorded):
        raise _NotPlainError
    if not type(source) is type(id) is type(subject) is str:
        raise _NotPlainError
    if not (type(correlation) in _TEXT_OR_NONE and type(causation) in _TEXT_OR_NONE):
        raise _NotPlainError
    name, version, number = known
    row = [position, subject, name, version, number, source, id, occurred, recorded, correlation, causation]
    row += (orjson.dumps(data).decode(), *_LEFT_OPEN)
    for key, value in data.items():
        if type(value) is not str:
            _refuse_fractions(value)
        if value is not None and key in _READ:
            _READ[key](row, value)
    if name in _OF_ITEMS and (item := data.get("item")) is not None:
        _OF_ITEMS[name](row, item)
    if name == "repair.failed":
        options = data.get("options")
        if options is not None and type(options) is not list:
            raise _NotPlainError
        _put(row, _PLACES["word"], "choice" if options else "no choice")
    return row


@lru_cache
def _known() -> dict[str, tuple[str, int, int]]:
    """The name of each type that we can read, its version, and its number among the facts."""
    return {
        full_type(name, version): (name, version, number)
        for number, (name, fact) in enumerate(vocabulary.FACTS.items())
        for version in range(1, fact.VERSION + 1)
    }


def _moments(texts: Sequence[Any]) -> Any:
    if texts.count(None) == len(texts):
        return pa.nulls(len(texts), pa.timestamp("us"))
    # What is no text at all, this refuses with TypeError; and two in one text are no moment to Arrow.
    if _EACH_A_MOMENT.fullmatch("\n".join([*filter(None, texts), ""])) is None:
        raise _NotPlainError
    return pa.array(texts, pa.string()).cast(_MOMENTS).cast(pa.timestamp("us"))


def _refuse_fractions(value: Any) -> None:
    """For all else there is one way to write it as JSON."""
    kind = type(value)
    if kind is float:
        raise _NotPlainError
    if kind is dict or kind is list:
        for each in value.values() if kind is dict else value:
            _refuse_fractions(each)


def _put(row: list[Any], place: int, value: Any) -> None:
    if row[place] is not None:
        raise _NotPlainError  # which of them counts, SQL knows
    row[place] = value


def _as_text(column: str) -> Callable[[list[Any], Any], None]:
    place = _PLACES[column]

    def put(row: list[Any], value: Any) -> None:
        if type(value) is not str:
            raise _NotPlainError
        _put(row, place, value)

    return put


def _as_moment(column: str) -> Callable[[list[Any], Any], None]:
    place = _PLACES[column]
    return lambda row, value: _put(row, place, value)


def _since(row: list[Any], value: Any) -> None:
    """From when on; of some facts it is from whom."""
    if type(value) is not str or _PARTY.match(value) is None:
        _put(row, _PLACES["from_when"], value)


def _holds(row: list[Any], value: Any) -> None:
    if type(value) is not bool:
        raise _NotPlainError
    _put(row, _PLACES["word"], "yes" if value else "no")


def _level(row: list[Any], value: Any) -> None:
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise _NotPlainError
    _put(row, _PLACES["level"], value)


def _at_home(row: list[Any], value: Any) -> None:
    if type(value) is not bool:
        raise _NotPlainError
    if value:
        _put(row, _PLACES["level"], 1)


def _items(row: list[Any], value: Any) -> None:
    if type(value) is not list:
        raise _NotPlainError
    _put(row, _PLACES["items"], orjson.dumps(value).decode())


def _product(row: list[Any], value: Any) -> None:
    if type(value) is not dict:
        raise _NotPlainError
    for key, part in value.items():
        if part is not None and key in _OF_PRODUCT:
            _OF_PRODUCT[key](row, part)


_OF_PRODUCT: Final = {
    "brand": _as_text("brand"),
    "model": _as_text("model"),
    "serial": _as_text("serial"),
    "category": _as_text("topic"),
}
#: The facts of which it is read which of several things they are about, and where that goes.
_OF_ITEMS: Final = {
    **dict.fromkeys(("item.handed_over", "item.received", "item.returned", "diagnosis.made"), _as_text("name")),
    **dict.fromkeys(("part.ordered", "part.arrived", "part.rejected"), _as_text("name")),
    **dict.fromkeys(("repair.started", "repair.completed", "repair.failed"), _as_text("name")),
    "unit.replaced": _as_text("topic"),
}
#: What the statement reads of the data.
_READ: Final[dict[str, Callable[[list[Any], Any], None]]] = {
    **{key: _as_text("party") for key in ("to", "accountable", "who", "decider")},
    **{key: _as_text("word") for key in ("outcome", "waiting_for", "direction", "kind", "urgency")},
    **{key: _as_text("name") for key in ("customer", "reference", "message", "commitment", "old_serial", "into")},
    **{key: _as_text("topic") for key in ("question", "visit", "promise", "part", "letter")},
    **{key: _as_moment("by_when") for key in ("next_news_by", "until", "by_when", "expected_by", "due", "valid_until")},
    **{key: _as_text("serial") for key in ("new_serial", "serial")},
    "from": _since,
    "holds": _holds,
    "items": _items,
    "at_home": _at_home,
    "product": _product,
    "fault_text": _as_text("fault_text"),
    "level": _level,
    "fact_source": _as_text("target_source"),
    "fact_id": _as_text("target_id"),
}
