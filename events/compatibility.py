"""What a change of the schemas would break: within a version there are only additions.

A partner's program was written against the schemas as they were released. What it may say must stay sayable, and mean
the same; what it is told must stay told. Schemas are JSON Schema as pydantic and schema.py write it; a keyword that is
not known here is reported, so that nothing passes unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from events.schema import SAID_BY

Schema = Mapping[str, Any]

#: They say nothing about which documents are valid. (A default is looked at where a field may be left out.)
_TELLING: Final = {
    "$schema",
    "$id",
    "$defs",
    "$ref",
    "title",
    "description",
    "examples",
    "deprecated",
    "default",
    SAID_BY,
}
_LOWER: Final = ("minLength", "minItems", "minimum", "exclusiveMinimum")
_UPPER: Final = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
_SAME: Final = ("pattern", "format", "multipleOf", "uniqueItems")
_SHAPE: Final = {"type", "anyOf", "enum", "const", "properties", "required", "additionalProperties", "items"}
_KNOWN: Final = _TELLING | _SHAPE | {*_LOWER, *_UPPER, *_SAME}

#: What a role may say, or every value of a field without a type.
_ANYTHING: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


def broken_types(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> list[str]:
    """One sentence for each way in which ``current`` refuses what ``released`` allows; both by full type name."""
    return [
        f"{name}: {each}"
        for name, schema in released.items()
        for each in (broken(schema, current[name]) if name in current else ["this type is gone"])
    ]


def broken(released: Schema, current: Schema) -> list[str]:
    """One sentence for each document that ``released`` allows and ``current`` refuses, or reads otherwise."""
    found = list(_Comparison(released, current).narrowed(released, current, ""))
    gone = set(released.get(SAID_BY, ())) - set(current.get(SAID_BY, ()))
    return found + [f"a {role} may no longer say it" for role in sorted(gone)]


def unsaid(released: Schema, current: Schema) -> list[str]:
    """The same for what the chain says: fields that are no longer there, or not always, or of another type.

    New fields and new values are additions: whoever listens leaves alone what it does not know.
    """
    return list(_unsaid(released, current, ""))


class _Comparison:
    """Two documents, each with its own definitions."""

    def __init__(self, released: Schema, current: Schema) -> None:
        self._released, self._current = released, current
        self._seen: set[tuple[str, str]] = set()

    def narrowed(self, released: Schema, current: Schema, path: str) -> Iterator[str]:
        pair = str(released.get("$ref", path)), str(current.get("$ref", path))
        if "$ref" in released or "$ref" in current:
            if pair in self._seen:
                return  # compared already, or about to be
            self._seen.add(pair)
        released, current = _resolved(released, self._released), _resolved(current, self._current)
        where = path or "the event"
        for keyword in sorted((released.keys() | current.keys()) - _KNOWN):
            yield f"{where}: '{keyword}' is not understood by this comparison"
        if "anyOf" in released:
            for branch in released["anyOf"]:
                yield from self.narrowed(branch, current, path)
        elif "anyOf" in current:
            # Each attempt on its own, or a reference that one branch compared would hide from the next.
            found = [
                list(_Comparison(self._released, self._current).narrowed(released, each, path))
                for each in current["anyOf"]
            ]
            if all(found):
                yield from min(found, key=len)
        elif (values := _values(released)) is not None:
            for value in values:
                if (problem := _refuses(current, value)) is not None:
                    yield f"{where}: {value!r} is no longer allowed ({problem})"
        else:
            yield from self._plain(released, current, path, where)

    def _plain(self, released: Schema, current: Schema, path: str, where: str) -> Iterator[str]:
        if _values(current) is not None:
            yield f"{where}: only {_values(current)} is allowed now"
            return
        if gone := _types(released) - _types(current):
            yield f"{where}: may no longer be of type {', '.join(sorted(gone))}"
        for keyword in _LOWER:
            if keyword in current and (keyword not in released or current[keyword] > released[keyword]):
                yield f"{where}: {keyword} is {current[keyword]}, it was {released.get(keyword, 'without')}"
        for keyword in _UPPER:
            if keyword in current and (keyword not in released or current[keyword] < released[keyword]):
                yield f"{where}: {keyword} is {current[keyword]}, it was {released.get(keyword, 'without')}"
        for keyword in _SAME:
            if keyword in current and current[keyword] != released.get(keyword):
                yield f"{where}: {keyword} is {current[keyword]!r}, it was {released.get(keyword, 'without')!r}"
        if "items" in current:
            yield from self.narrowed(released.get("items", {}), current["items"], f"{path}/*")
        yield from self._fields(released, current, path, where)

    def _fields(self, released: Schema, current: Schema, path: str, where: str) -> Iterator[str]:
        before, now = released.get("properties", {}), current.get("properties", {})
        for name, field in before.items():
            if name in now:
                yield from self.narrowed(field, now[name], f"{path}/{name}")
                if (meant := field.get("default")) != (means := now[name].get("default")):
                    yield f"{path}/{name}: left out, it means {means!r} instead of {meant!r}"
            elif current.get("additionalProperties", True) is False:
                yield f"{path}/{name}: this field is gone"
        for name in sorted(set(current.get("required", ())) - set(released.get("required", ()))):
            yield f"{path}/{name}: this field has to be there now"
        others, still = released.get("additionalProperties", True), current.get("additionalProperties", True)
        if others is not False and still is False:
            yield f"{where}: other fields are no longer allowed"
        elif isinstance(still, Mapping):
            yield from self.narrowed(others if isinstance(others, Mapping) else {}, still, f"{path}/*")


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The schema with its reference, if it is one, put in its place."""
    while "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        schema = {**root["$defs"][name], **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _values(schema: Schema) -> list[Any] | None:
    """The values that it lists; None if it lists none."""
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None


def _types(schema: Schema) -> frozenset[str]:
    given = schema.get("type", _ANYTHING)
    types = frozenset({given}) if isinstance(given, str) else frozenset(given)
    return types | {"integer"} if "number" in types else types


_TYPE_OF: Final = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def _refuses(schema: Schema, value: Any) -> str | None:
    """Why ``value``, a plain one from a list of values, is not allowed; None if it is."""
    values = _values(schema)
    if values is not None:
        return None if value in values else f"there are {values}"
    if _TYPE_OF.get(type(value)) not in _types(schema):
        return f"it has to be of type {schema.get('type')}"
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            return "its length"
        if not re.search(schema.get("pattern", ""), value):
            return "its pattern"
    return None


def _unsaid(released: Schema, current: Schema, path: str) -> Iterator[str]:
    if more := _types(current) - _types(released):
        yield f"{path or 'the message'}: may now be of type {', '.join(sorted(more))}"
    now = current.get("properties", {})
    for name, field in released.get("properties", {}).items():
        if name in now:
            yield from _unsaid(field, now[name], f"{path}/{name}")
        else:
            yield f"{path}/{name}: this field is no longer told"
    for name in sorted(set(released.get("required", ())) - set(current.get("required", ()))):
        yield f"{path}/{name}: this field is no longer always told"
    if "items" in released:
        yield from _unsaid(released["items"], current.get("items", {}), f"{path}/*")
