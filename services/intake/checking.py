"""What of the decision about a submission is the same whenever it is made: what it says, by its type and its sender."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from events.envelope import Event, Identifier, split_type
from events.party import role_of
from events.vocabulary import FACTS, PARTY_FACTS, is_known, may_say, read_data
from services.contact import Contact
from services.intake.problems import Refusal, from_validation, of_data, unknown_type
from services.intake.references import fault_in_reference


class _WithContact(BaseModel):
    """The part of order.opened that intake takes off."""

    customer: Identifier | None = None
    contact: Contact


class Checked(NamedTuple):
    """The data of an event as its version writes it, and the contact that intake takes off it."""

    data: dict[str, Any]
    contact: Contact | None


def check(event: Event, party: str) -> Checked | Refusal:
    """What of the decision is the same whenever it is made: half of its work."""
    try:
        return _check(event, party)
    except Refusal as refusal:
        return refusal.alone()


def _check(event: Event, party: str) -> Checked:
    if event.source != party:
        raise Refusal("not-your-name", f"source is '{event.source}' but the submission came from {party}", "/source")
    name, version = split_type(event.type)
    if name not in FACTS:
        raise unknown_type(event.type)
    if not may_say(role_of(party), name):
        raise Refusal("not-yours-to-say", f"a {role_of(party)} does not say {name}", "/type")
    if not is_known(name, version):
        # Taken in unread, it could carry a customer's address into the log.
        raise Refusal("unknown-version", f"{name} is known up to version {FACTS[name].VERSION}; it is kept", "/type")
    data, contact = _without_contact(event)
    data = _normalised(name, version, data)
    _check_reference(event, data, contact)
    _check_own(event, data)
    return Checked(data, contact)


def _without_contact(event: Event) -> tuple[dict[str, Any], Contact | None]:
    data = dict(event.data)
    if event.name != "order.opened" or data.pop("contact", None) is None:
        return data, None
    try:
        return data, _WithContact.model_validate(event.data).contact
    except ValidationError as error:
        raise from_validation(error, "data") from None


def _normalised(name: str, version: int, data: dict[str, Any]) -> dict[str, Any]:
    """The data as its version writes it, times in UTC. Of an older version only the meaning is checked; it is kept as
    it was sent, for its upcaster. Raises Refusal."""
    try:
        fact = read_data(name, version, data)
    except ValidationError as error:
        raise of_data(error) from None
    if fact is None or version != fact.VERSION:
        return data
    # What model_dump calls, which takes half as long again to pass on its arguments.
    written: dict[str, Any] = fact.__pydantic_serializer__.to_python(
        fact, mode="json", by_alias=True, exclude_none=True, exclude_unset=True
    )
    return written


def _check_reference(event: Event, data: dict[str, Any], contact: Contact | None) -> None:
    """The reference to the customer is in the log and in names of parties for ever: nothing personal may be in it."""
    if event.name != "order.opened" or (contact is None and data.get("customer") is None):
        return
    given = data.get("customer")
    fault = fault_in_reference(str(given if given is not None else event.subject), contact)
    if fault is not None:
        which = (
            "customer" if given is not None else "the order's id, which stands for its customer where none is named,"
        )
        raise Refusal(
            "invalid",
            f"{which} has to be a number or a code of yours, for it is kept in the log: {fault}",
            "/data/customer" if given is not None else "/subject",
        )


def _check_own(event: Event, data: dict[str, Any]) -> None:
    if event.name in PARTY_FACTS and event.subject != event.source:
        raise Refusal(
            "not-your-name",
            f"{event.name} is about the party itself: subject must be '{event.source}'",
            "/subject",
        )
    if event.name == "order.opened" and data.get("accountable") not in (None, event.source):
        # Messages to the customer are signed by the accountable party: nobody signs for another.
        raise Refusal(
            "not-your-name", "a party answers for itself only: let that party open the order", "/data/accountable"
        )
    if event.name == "fact.corrected" and data.get("fact_source") not in (None, event.source):
        raise Refusal("not-your-name", "a party corrects its own facts only", "/data/fact_source")
