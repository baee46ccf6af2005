"""Webhooks as AfterShip and EasyPost send them, by their documents, with parcels and people that there are not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from typing import Any

import orjson

AFTERSHIP_SECRET = "0f5c-aftership"
EASYPOST_SECRET = "sécret Å of easypost"

#: Where the parcel is, tag and sub-status, on which day of March at which hour.
STORY = (
    ("InfoReceived", "InfoReceived_001", "02T15:00:00+01:00", "MA"),
    ("InTransit", "InTransit_002", "03T04:20:00+01:00", "I0"),
    ("OutForDelivery", "OutForDelivery_001", "04T08:05:00+01:00", "OFD"),
    ("Delivered", "Delivered_003", "04T11:45:00+01:00", "Delivered, signed by Unlikely"),
)


def aftership(number: str = "3S123", *scans: tuple[str, str, str, str]) -> bytes:
    """``tracking_update``, version 2026-07. Without ``scans`` those of STORY."""
    told = [
        {
            "slug": "parcel-post",
            "city": "Halden",
            "postal_code": "1234",
            "location": "Harbour Street 5, Halden",
            "coordinate": {"latitude": 59.1, "longitude": 11.4},
            "message": "Delivered, signed by Zo Unlikely",
            "tag": tag,
            "subtag": subtag,
            "subtag_message": "as above",
            "raw_tag": raw,
            "checkpoint_time": f"2026-03-{at}",
            "created_at": "2026-03-05T00:00:00+00:00",
            "events": [],
        }
        for tag, subtag, at, raw in scans or STORY
    ]
    return orjson.dumps(
        {
            "event": "tracking_update",
            "event_id": "5a3b6a9e-3d3f-4d2c-8f6a-0d7b0f1c2e3d",
            "is_tracking_first_tag": True,
            "ts": 1772700000,
            "msg": {
                "id": "bff5a3bac79b472991a204172473a635",
                "tracking_number": number,
                "slug": "parcel-post",
                "tag": told[-1]["tag"],
                "subtag": told[-1]["subtag"],
                "signed_by": "Zo Unlikely",
                "customers": [{"name": "Zo Unlikely", "email": "zo@example.org", "phone_number": "+4755501000"}],
                "destination_raw_location": "Harbour Street 5, Halden",
                "checkpoints": told,
            },
        }
    )


def easypost(number: str = "3S123", *scans: tuple[str, str, str]) -> bytes:
    """``tracker.updated``: status, its detail, and when."""
    told = [
        {
            "object": "TrackingDetail",
            "message": "Delivered, signed by Zo Unlikely",
            "description": "",
            "status": status,
            "status_detail": detail,
            "datetime": f"2026-03-{at}",
            "source": "ParcelPost",
            "carrier_code": "D1",
            "tracking_location": {"object": "TrackingLocation", "city": "HALDEN", "zip": "1234"},
        }
        for status, detail, at in scans
    ]
    result: dict[str, Any] = {
        "id": "trk_1",
        "object": "Tracker",
        "mode": "test",
        "tracking_code": number,
        "status": "unknown",
        "signed_by": "Zo Unlikely",
        "carrier": "ParcelPost",
        "tracking_details": told,
        "carrier_detail": {"object": "CarrierDetail", "destination_location": "HALDEN"},
    }
    event = {"id": "evt_1", "object": "Event", "mode": "test", "description": "tracker.updated", "status": "pending"}
    return orjson.dumps({**event, "result": result, "previous_attributes": {"status": "unknown"}})


def signed_by_aftership(body: bytes, secret: str = AFTERSHIP_SECRET) -> dict[str, str]:
    made = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"aftership-hmac-sha256": base64.b64encode(made).decode(), "as-webhook-version": "2026-07"}


def signed_by_easypost(body: bytes, secret: str = EASYPOST_SECRET) -> dict[str, str]:
    made = hmac.new(unicodedata.normalize("NFKD", secret).encode(), body, hashlib.sha256).hexdigest()
    return {"x-hmac-signature": f"hmac-sha256-hex={made}"}


def signed_by_easypost_2(body: bytes, secret: str = EASYPOST_SECRET) -> dict[str, str]:
    at, path = "Thu, 05 Mar 2026 10:00:00 -0000", "/carriers/easypost"
    made = hmac.new(secret.encode(), f"{at}POST{path}".encode() + body, hashlib.sha256).hexdigest()
    return {"x-hmac-signature-v2": f"hmac-sha256-hex={made}", "x-timestamp": at, "x-path": path}
