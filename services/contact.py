"""Who a customer is, how to reach her, and what she wants: for the CUSTOMERS bucket, never for the log."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from events.chain import MessageKind
from projections.policies.messages import QuietHours

#: The kind of channel that is always served.
EMAIL: Final = "email"
#: The kind that the system of a shop is, which writes to its customers itself.
WEBHOOK: Final = "webhook"

_EMAIL: Final = re.compile(r"[^@\s<>\",;:]+@[^@\s<>\",;:]+")


def is_for_texts(kind: str) -> bool:
    """Whether messages go out as texts for a telephone on that kind of channel: on all but e-mail and webhooks."""
    return kind not in (EMAIL, WEBHOOK)


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such file, or a name that can be none
        raise ValueError(f"there is no time zone '{name}': write one such as Europe/Amsterdam") from None
    return name


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_check_zone)]


class Channel(BaseModel):
    """One way to reach the customer. It names a kind and an address, never a service to call.

    Which service delivers a kind (``email``, ``sms``, …) is a setting of the operator's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    address: Annotated[str, StringConstraints(min_length=1, max_length=254, pattern=r"^[^\s<>\"]+$")]

    @field_validator("address")
    @classmethod
    def _an_address(cls, address: str, others: ValidationInfo) -> str:
        if others.data.get("kind") == EMAIL and not _EMAIL.fullmatch(address):
            raise ValueError("this is not one e-mail address")
        return address


class Contact(BaseModel):
    """The customer: ``channels`` in order of preference, ``quiet`` hours in her ``time_zone``.

    Kinds in ``not_told`` are not told; until ``paused_until`` nothing is but what she must decide. What is None is as
    the policy has it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(max_length=200)] | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")] = "en"
    channels: tuple[Channel, ...] = Field(default=(), max_length=10)
    time_zone: TimeZone | None = None
    quiet: QuietHours | None = None
    not_told: tuple[MessageKind, ...] = ()
    paused_until: AwareDatetime | None = None

    def is_paused(self, now: datetime) -> bool:
        """Whether she asked not to be written to."""
        return self.paused_until is not None and now < self.paused_until
