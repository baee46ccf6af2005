"""Everything that is wrong with a submission at once, so that its sender need not mend and hand in one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from events.envelope import Event, TypeNameError, split_type
from events.vocabulary import read_data
from services.contact import Contact
from services.intake.problems import Fault, Problem, faults_in, kind_of

_MOST: Final = 10


def with_all_faults(problem: Problem, document: Mapping[str, Any], event: Event | None = None) -> Problem:
    """The problem with ``errors``, up to ten faults of the document, where it is that the document is invalid.

    The one that ``detail`` speaks of comes first. ``event`` is what was read of it, if that was possible: then nothing
    is wrong with the envelope.
    """
    if kind_of(problem.type) != "invalid":
        return problem
    of_envelope = _of_envelope(document) if event is None else ()
    found = list(dict.fromkeys([*of_envelope, *_of_data(document)]))
    found.sort(key=lambda fault: fault.pointer != problem.pointer)
    return problem.model_copy(update={"errors": tuple(found[:_MOST])}) if found else problem


def _of_envelope(document: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        Event.model_validate(document)
    except ValidationError as error:
        yield from faults_in(error)


def _of_data(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Of the data, as far as the type says what it should be."""
    type_, data = document.get("type"), document.get("data")
    if not isinstance(type_, str) or not isinstance(data, Mapping):
        return
    rest = dict(data)
    try:
        name, version = split_type(type_)
    except TypeNameError:
        return
    contact = rest.pop("contact", None) if name == "order.opened" else None
    try:
        read_data(name, version, rest)
    except ValidationError as error:
        yield from faults_in(error, "data")
    if contact is not None:
        try:
            Contact.model_validate(contact)
        except ValidationError as error:
            yield from faults_in(error, "data", "contact")
