"""Reads a mapping file and checks it whole, so that nothing about it can go wrong once the import runs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from events.party import PARTNER_ROLES
from events.vocabulary import FACTS, may_say
from events.wording import in_words
from services.home import read_written
from services.importing.mapping import TIME_OF_DAY, Mapping, Rule
from services.importing.report import ImportProblem
from services.importing.values import Condition, Constant, Lookup, Table, Template, Value

#: What order.opened always says, whatever the mapping adds.
_OPENED: dict[str, Any] = {"product": {}}


class MappingError(ImportProblem):
    """The mapping cannot be used; the message names the file, the key, and what is wrong with it."""


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file. Raises MappingError: one sentence that names the key."""
    try:
        text = read_written(path)
    except UnicodeDecodeError:
        raise MappingError(f"{path} is not UTF-8 text, so it is no mapping") from None
    except OSError as error:
        raise MappingError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise MappingError(f"{path} is not TOML: {error}") from None
    return read_mapping(raw, str(path))


def read_mapping(raw: dict[str, Any], name: str = "mapping") -> Mapping:
    """Check a mapping that is already parsed; ``name`` begins every message. Raises MappingError."""
    try:
        mapping = Mapping.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise MappingError(f"{name}: {_key(first['loc'])}: {_sentence(first)}") from None
    for key, problem in _problems(mapping):
        raise MappingError(f"{name}: {key}: {problem}")
    return mapping


def _key(location: tuple[int | str, ...]) -> str:
    """``facts[0].data`` of ``("facts", 0, "data")``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text.removesuffix(".[key]")


def _sentence(error: Any) -> str:
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "extra_forbidden":
        return "is no key that is known here"
    return in_words(error)


def _problems(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """What a single key cannot know: columns that are not there, data that the vocabulary does not take."""
    for required in ("case", "time"):
        if required not in mapping.columns:
            yield f"columns.{required}", "is missing"
    usable = (mapping.columns.keys() | {"case"}) - {"time", TIME_OF_DAY}
    for key, found in _readers(mapping):
        for column in sorted(found.columns - usable):
            yield key, f"uses the column '{column}', which [columns] does not name as a text"
    for role in mapping.party.role.samples():
        if role is not None and role not in PARTNER_ROLES:
            yield "party.role", f"'{role}' is no role of a partner; write {', '.join(PARTNER_ROLES)}"
    if "accountable" in mapping.order.opened.entries:
        yield "order.opened.accountable", "is said by order.accountable"
    yield from _data_problems("order.opened", "order.opened", mapping.order.opened)
    if mapping.status is not None:
        outcome = mapping.status.outcome
        if not isinstance(outcome, Constant) and not (isinstance(outcome, Lookup) and outcome.otherwise is not None):
            yield "status.outcome", "must be a text, or a lookup with otherwise, so that every close has an outcome"
        yield from _data_problems("status", "order.closed", Table({"outcome": outcome}))
    for index, rule in enumerate(mapping.facts):
        yield from _rule_problems(f"facts[{index}]", rule)


def _rule_problems(key: str, rule: Rule) -> Iterator[tuple[str, str]]:
    for entry, name in (("type", rule.type), ("leaving", rule.leaving)):
        if name is not None and not any(may_say(role, name) for role in PARTNER_ROLES):
            yield f"{key}.{entry}", f"no partner may say {name}"
    yield from _data_problems(f"{key}.data", rule.type, rule.data)
    if rule.leaving is not None:
        if rule.each == "row":
            yield f"{key}.leaving", 'needs each = "run": a single row is never left'
        yield from _data_problems(f"{key}.leaving", rule.leaving, Table())


def _data_problems(key: str, name: str, data: Table) -> Iterator[tuple[str, str]]:
    """Try ``data`` against the vocabulary, as far as it does not depend on a row."""
    usual = {**(_OPENED if name == "order.opened" else {}), **_sample(data)}
    tries = [usual]
    for entry, value in data.entries.items():
        tries += [{**usual, entry: each} for each in value.samples() if each is not None]
    for each in tries:
        try:
            FACTS[name].model_validate(each)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                depends = isinstance(_at(data, problem["loc"]), Template)
                where = f"{key}.{_key(problem['loc'])}"
                if problem["type"] == "extra_forbidden":
                    yield where, f"is no field of {name}{_fields(FACTS[name], problem['loc'][:-1])}"
                elif not depends:
                    yield where, f"{_sentence(problem)}, says {name}"


def _fields(model: type[BaseModel], path: tuple[int | str, ...]) -> str:
    """Those that there are where a wrong one stands, after a colon."""
    for part in path:
        names = {field.alias or name: field for name, field in model.model_fields.items()}
        inner = _model_in(names[str(part)].annotation) if part in names else None
        if inner is None:
            return ""
        model = inner
    there = ", ".join(field.alias or name for name, field in model.model_fields.items())
    return f": it has {there}" if there else ", which has none"


def _model_in(annotation: object) -> type[BaseModel] | None:
    """``Product`` of ``Product | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each))), None)


def _sample(value: Value) -> Any:
    if isinstance(value, Table):
        return {key: _sample(each) for key, each in value.entries.items()}
    return next((each for each in value.samples() if each is not None), "text")


def _at(value: Value, location: tuple[int | str, ...]) -> Value:
    """The value that an error speaks of, as deep as there is one."""
    for part in location:
        if isinstance(value, Table) and part in value.entries:
            value = value.entries[str(part)]
    return value


def _readers(mapping: Mapping) -> Iterator[tuple[str, Value | Condition]]:
    """Everything that reads columns, with its key."""
    yield "party.role", mapping.party.role
    yield "party.name", mapping.party.name
    yield "order.id", mapping.order.id
    yield "order.opened", mapping.order.opened
    if mapping.custody.queued is not None:
        yield "custody.queued", mapping.custody.queued
    if mapping.status is not None:
        yield "status.closed", mapping.status.closed
        yield "status.outcome", mapping.status.outcome
    if mapping.aside is not None:
        yield "aside.when", mapping.aside.when
    for index, rule in enumerate(mapping.facts):
        yield f"facts[{index}].when", rule.when
        yield f"facts[{index}].data", rule.data
