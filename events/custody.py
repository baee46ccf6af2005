"""Who has it in their hands. The giver tells that it went, the taker that it came."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, field_validator

from events.envelope import Moment
from events.facet import Fact, Prose, Text
from events.party import PARTNER_ROLES, Party, role_of

#: Where a parcel is: announced to the carrier, on its way, in the last van, waiting to be fetched, delivered, held up
#: or lost, or on its way back to whoever sent it.
CarrierStatus = Literal[
    "announced", "in_transit", "out_for_delivery", "available", "delivered", "exception", "returned"
]
#: A code of somebody's list, no words: there is no room in it for a person's name.
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,60}$")]


class HandedOver(Fact):
    """The item left for ``to``, another party than the sender; from now on ``to`` owes a receipt."""

    NAME: ClassVar[str] = "item.handed_over"

    to: Party
    item: Text | None = None
    carrier: Text | None = None
    tracking_number: Text | None = None
    expected_by: Moment | None = None

    @field_validator("to")
    @classmethod
    def _to_a_partner(cls, to: str) -> str:
        if role_of(to) not in PARTNER_ROLES:
            raise ValueError("must be a retailer, an importer or a repairer; to the customer it is item.returned")
        return to


class Received(Fact):
    """The item came in at the party that says so."""

    NAME: ClassVar[str] = "item.received"

    item: Text | None = None
    from_party: Party | None = Field(default=None, alias="from")
    condition: Prose | None = None


class Tracked(Fact):
    """The carrier says where the parcel of a handover was at that time. It shows where it is, and is no receipt.

    Where the scan was made and who signed is left out: that may be somebody's home, and her name.
    """

    NAME: ClassVar[str] = "item.tracked"

    tracking_number: Text
    status: CarrierStatus
    carrier: Text | None = None
    code: Code | None = None
    carrier_code: Code | None = None
    via: Code | None = None


class Returned(Fact):
    """The item is back with the customer."""

    NAME: ClassVar[str] = "item.returned"

    item: Text | None = None
    note: Prose | None = None


FACTS: tuple[type[Fact], ...] = (HandedOver, Received, Returned, Tracked)
