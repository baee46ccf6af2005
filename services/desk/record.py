"""What is held about one customer: whose she is, her record in the book, her orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from events.chain import MessageKind
from events.party import PARTNER_ROLES, PartyError, check_party
from events.subjects import customer_key
from events.wording import in_words
from services.answering import Ask, QuestionError
from services.contact import EMAIL, Channel, Contact
from services.desk.problems import DeskError

_Given = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class Named(BaseModel):
    """Who is meant: ``retailer:acme C-77``, or any of her orders."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ref: Annotated[str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True)]


class Forgotten(Named):
    """Who is to be forgotten. Of whom nothing is known may be meant, or may be mistyped: so that has to be said."""

    even_if_unknown: bool = False


class Several(BaseModel):
    """Customers, each by the party that opened an order of hers and its number for her."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    customers: tuple[tuple[_Given, _Given], ...] = Field(max_length=100_000)


class Unwanted(BaseModel):
    """A letter from ``address`` asks that no more are written about ``order``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    order: _Given
    address: Annotated[str, StringConstraints(max_length=1_000)] = Field(repr=False)


class Changes(Named):
    """What she wants. What is not given stays as it is; None takes it off the record."""

    language: str | None = None
    quiet: str | None = None
    time_zone: str | None = None
    not_told: tuple[MessageKind, ...] = ()
    paused_until: AwareDatetime | None = None
    channels: tuple[Channel, ...] = Field(default=(), max_length=10)


@dataclass(frozen=True)
class Customer:
    """One customer by the party that opened an order of hers, and its number for her. ``orders``: the latest first."""

    opener: str
    reference: str
    orders: tuple[dict[str, Any], ...] = ()

    @property
    def key(self) -> str:
        return customer_key(self.opener, self.reference)

    @property
    def order_ids(self) -> tuple[str, ...]:
        return tuple(str(row["order_id"]) for row in self.orders)


async def find_customer(ask: Ask, ref: str) -> Customer:
    """Who is meant by ``ref``. Raises DeskError."""
    opener, _, reference = ref.partition(" ")
    if ":" not in opener or not reference.strip() or not _is_partner(opener):
        opener, reference = await _behind_order(ask, ref)
    return await customer_of(ask, opener, reference.strip())


async def customer_of(ask: Ask, opener: str, reference: str) -> Customer:
    """The customer of ``opener`` under that number, with her orders."""
    found = await ask("customer", {"opener": opener, "customer": reference}, None)
    return Customer(opener, reference, tuple(found["orders"]))


def _is_partner(text: str) -> bool:
    try:
        check_party(text, PARTNER_ROLES)
    except PartyError:
        return False
    return True


async def _behind_order(ask: Ask, name: str) -> tuple[str, str]:
    try:
        order = await ask("status", {"order": name}, None)
    except QuestionError as error:
        raise DeskError(
            f"{error}; name her by the party and its number for her, such as 'retailer:acme C-77'"
        ) from None
    opener, reference = order.get("opened_by"), order.get("customer")
    if not opener or not reference:
        raise DeskError(f"{order['order_id']} was opened without a customer, so nothing is held about one")
    return str(opener), str(reference)


def unknown(customer: Customer, near: Sequence[tuple[str, str]]) -> str:
    """That nothing is known of ``customer``, and who may be meant, as a sentence without a full stop."""
    said = f"{customer.opener} has no customer {customer.reference}"
    if not near:
        return said
    meant = [number if opener == customer.opener else f"that of {opener}" for opener, number in near]
    either = " or ".join(part for part in (", ".join(meant[:-1]), meant[-1]) if part)
    return f"{said} (did you mean {either}?)"


def changed(known: Contact | None, changes: Changes) -> Contact:
    """The record with ``changes``. Raises DeskError for a value that cannot be."""
    given = changes.model_fields_set - {"ref"}
    if not given:
        raise DeskError("say what to change: --language, --quiet, --time-zone, --not-told, --pause-until or --channel")
    values = known.model_dump(exclude_unset=True) if known is not None else {}
    for name in given:
        value = getattr(changes, name)
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
    try:
        return Contact.model_validate(values)
    except ValidationError as error:
        raise DeskError(told(error)) from None


def is_hers(address: str, contact: Contact) -> bool:
    """Whether we write to ``contact`` at the e-mail ``address``; in which case it is written does not matter."""
    return any(each.kind == EMAIL and each.address.casefold() == address.casefold() for each in contact.channels)


def told(error: ValidationError) -> str:
    """The first fault in a sentence that does not repeat what was given: that may be an address."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"] if not isinstance(part, int)) or "what was asked"
    return f"{where} is not right: {in_words(first)}"


def as_document(customer: Customer, contact: Contact | None, forgotten: bool, now: datetime) -> dict[str, Any]:
    """For people and programs."""
    return {
        "opener": customer.opener,
        "customer": customer.reference,
        "forgotten": forgotten,
        "paused": contact.is_paused(now) if contact is not None else False,
        "contact": contact.model_dump(mode="json") if contact is not None else None,
        "orders": list(customer.orders),
    }
