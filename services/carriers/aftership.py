"""AfterShip Tracking: its webhooks of 2026-07 and before (``tracking_update``), and how they are signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from events.custody import CarrierStatus
from services.carriers.checkpoint import Checkpoint, carriers_own, listed, read_scans
from services.carriers.moments import read_moment

NAME: Final = "aftership"
SIGNATURE: Final = "aftership-hmac-sha256"

#: Their delivery statuses. ``Pending`` means that they know nothing yet, which is nothing to tell.
_STATUSES: Final[Mapping[str, CarrierStatus]] = {
    "InfoReceived": "announced",
    "InTransit": "in_transit",
    "OutForDelivery": "out_for_delivery",
    "AvailableForPickup": "available",
    "Delivered": "delivered",
    "AttemptFail": "exception",
    "Exception": "exception",
    "Expired": "exception",
}
#: Sub-statuses that say more than the status which they belong to: it is going back, or is back with the sender.
_SUBSTATUSES: Final[Mapping[str, CarrierStatus]] = {"Exception_010": "returned", "Exception_011": "returned"}


def is_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether ``body`` is signed with one of ``secrets``: base64 of HMAC-SHA256 over it. Headers have small letters."""
    shown = headers.get(SIGNATURE, "").encode("utf-8", "surrogateescape")
    made = [base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()) for secret in secrets]
    return any(hmac.compare_digest(shown, each) for each in made)


def checkpoints(document: Any, now: datetime) -> Iterator[Checkpoint]:
    """The scans in a webhook, in its order, which may be any; what is none, or cannot be read, is passed over."""
    parcel = document.get("msg") if isinstance(document, dict) else None
    if not isinstance(parcel, dict):
        return
    yield from read_scans(parcel.get("checkpoints"), lambda scan: _checkpoint(parcel, scan, now))


def _checkpoint(parcel: dict[str, Any], scan: dict[str, Any], now: datetime) -> Checkpoint | None:
    status = _SUBSTATUSES.get(str(scan.get("subtag"))) or _STATUSES.get(str(scan.get("tag")))
    at = read_moment(scan.get("checkpoint_time"), now)
    if status is None or at is None:
        return None
    return Checkpoint(
        via=NAME,
        number=parcel["tracking_number"],
        carrier=scan.get("slug") or parcel.get("slug") or None,
        status=status,
        at=at,
        code=listed(scan.get("subtag")),
        carrier_code=carriers_own(scan.get("raw_tag")),
    )
