"""One scan of a parcel, whoever passed it on; without where it was made and who signed, which may be personal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from events.custody import CarrierStatus, Code, Tracked
from events.envelope import Event, Moment, iso, make_event
from events.facet import Text
from events.party import CARRIERS

#: Longer than this, no carrier's number is.
Number = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[!-~]([ -~]{0,98}[!-~])?$")]

#: Carriers use their numbers again after some months. A label may be printed long before the parcel is handed over,
#: and a parcel may travel long.
_BEFORE: Final = timedelta(days=30)
_AFTER: Final = timedelta(days=180)

_BETWEEN: Final = re.compile(r"[ \t-]")

#: A code as carriers have them (``OFD``, ``I0``, ``D1``): what is longer and all letters may be a word, or a name.
_CARRIERS_OWN: Final = re.compile(r"[A-Z]{1,3}|(?=[A-Z_.-]*[0-9])[A-Z0-9_.-]{1,16}", re.IGNORECASE)


def plain_number(text: str) -> str:
    """A tracking number without spaces and hyphens, in capitals: people write it in many ways. parcels.sql agrees."""
    return _BETWEEN.sub("", text).upper()


_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def listed(code: object) -> str | None:
    """A code of the list of whoever passes it on; None for what is none."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def carriers_own(code: object) -> str | None:
    """The carrier's own code, if it is one and surely no words."""
    return code if isinstance(code, str) and _CARRIERS_OWN.fullmatch(code) else None


class Checkpoint(BaseModel):
    """Where the parcel was at ``at``. Raises pydantic.ValidationError for what is no scan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    via: Code
    number: Number
    status: CarrierStatus
    at: Moment
    carrier: Text | None = None
    code: Code | None = None
    carrier_code: Code | None = None

    @property
    def id(self) -> str:
        """The same for the same scan, however often it is told."""
        said = (self.via, self.carrier or "", plain_number(self.number), iso(self.at), self.status, self.code or "")
        return _digest(*said, self.carrier_code or "")

    def is_of(self, handed_at: datetime) -> bool:
        """Whether it may be of the parcel that was handed over at that time, not of one with the same number."""
        return handed_at - _BEFORE <= self.at <= handed_at + _AFTER

    def fact_id(self, order: str) -> str:
        """The id of the fact that it is for ``order``: one parcel may hold several."""
        return f"{plain_number(self.number)}/{_digest(order, self.id)}"

    def event(self, order: str, cause: str, now: datetime) -> Event:
        """The fact for ``order``, after the handover ``cause``."""
        return make_event(
            Tracked.NAME,
            source=CARRIERS,
            id=self.fact_id(order),
            subject=order,
            time=self.at,
            recordedtime=now.astimezone(UTC),
            causationid=cause,
            data=Tracked(
                tracking_number=self.number,
                status=self.status,
                carrier=self.carrier,
                code=self.code,
                carrier_code=self.carrier_code,
                via=self.via,
            ),
        )


def read_scans(scans: object, read: Callable[[dict[str, Any]], Checkpoint | None]) -> Iterator[Checkpoint]:
    """What ``read`` makes of each scan in a list from outside; what is none, or cannot be read, is passed over."""
    for scan in scans if isinstance(scans, list) else ():
        if not isinstance(scan, dict):
            continue
        try:
            checkpoint = read(scan)
        except (KeyError, ValidationError):
            continue
        if checkpoint is not None:
            yield checkpoint


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
