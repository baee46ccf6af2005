"""EasyPost: its events ``tracker.created`` and ``tracker.updated`` (API v2), and both ways in which they are signed."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from events.custody import CarrierStatus
from services.carriers.checkpoint import Checkpoint, carriers_own, listed, read_scans
from services.carriers.moments import read_moment

NAME: Final = "easypost"
#: Over the body; and over time, method, path and body, for accounts that have it.
SIGNATURE: Final = "x-hmac-signature"
SIGNATURE_2: Final = "x-hmac-signature-v2"
_SCHEME: Final = "hmac-sha256-hex="

#: Their statuses of a tracker. ``unknown`` is nothing to tell.
_STATUSES: Final[Mapping[str, CarrierStatus]] = {
    "pre_transit": "announced",
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "available_for_pickup": "available",
    "delivered": "delivered",
    "return_to_sender": "returned",
    "failure": "exception",
    "cancelled": "exception",
    "error": "exception",
}


def is_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether ``body`` is signed with one of ``secrets``, by the newer way if it is. Header names in small letters.

    How old the newer one is does not matter: what is told twice adds nothing.
    """
    if SIGNATURE_2 in headers:
        signed = _bytes(headers, "x-timestamp") + b"POST" + _bytes(headers, "x-path") + body
        shown = headers[SIGNATURE_2]
    else:
        signed, shown = body, headers.get(SIGNATURE, "")
    keys = [form.encode() for secret in secrets for form in {secret, unicodedata.normalize("NFKD", secret)}]
    made = [_SCHEME + hmac.new(key, signed, hashlib.sha256).hexdigest() for key in keys]
    given = shown.strip().lower().encode("utf-8", "surrogateescape")
    return any(hmac.compare_digest(given, each.encode()) for each in made)


def checkpoints(document: Any, now: datetime) -> Iterator[Checkpoint]:
    """The scans in an event, in its order, which may be any; what is none, or cannot be read, is passed over."""
    parcel = document.get("result") if isinstance(document, dict) else None
    if not isinstance(parcel, dict) or parcel.get("object") != "Tracker":
        return
    yield from read_scans(parcel.get("tracking_details"), lambda scan: _checkpoint(parcel, scan, now))


def _checkpoint(parcel: dict[str, Any], scan: dict[str, Any], now: datetime) -> Checkpoint | None:
    status, at = _STATUSES.get(str(scan.get("status"))), read_moment(scan.get("datetime"), now)
    if status is None or at is None:
        return None
    return Checkpoint(
        via=NAME,
        number=parcel["tracking_code"],
        carrier=scan.get("source") or parcel.get("carrier") or None,
        status=status,
        at=at,
        code=listed(scan.get("status_detail")),
        carrier_code=carriers_own(scan.get("carrier_code")),
    )


def _bytes(headers: Mapping[str, str], name: str) -> bytes:
    return headers.get(name, "").encode("utf-8", "replace")
