"""Everything that is wrong with a submission at once, so that its sender need not mend and hand in one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from events.envelope import Event, TypeNameError, split_type
from events.vocabulary import read_data
from services.contact import Contact
from services.intake.problems import MOST_FAULTS, Fault, Problem, Refusal, faults_in


def problem_of(refusal: Refusal, id: str | None, document: Mapping[str, Any], event: Event | None = None) -> Problem:
    """What the refusal of a submission, whose own id is ``id``, is to its sender.

    Where it is that the document is invalid, it has ``errors``, up to ten faults, with the one that ``detail`` speaks
    of first. ``event`` is what was read of the document, if that was possible: then nothing is wrong with the envelope.
    """
    if refusal.kind != "invalid":
        return refusal.problem(id)
    # Most have been found already, by whoever refused it.
    of_envelope = refusal.of_envelope
    if of_envelope is None:
        of_envelope = () if event is not None else tuple(_of_envelope(document))
    of_data = refusal.of_data if refusal.of_data is not None else tuple(_of_data(document))
    found = list(dict.fromkeys([*of_envelope, *of_data]))
    found.sort(key=lambda fault: fault.pointer != refusal.pointer)
    return refusal.problem(id, tuple(found[:MOST_FAULTS]) or None)


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
