"""Where parcels are by what their carriers say: made of what an order's timeline tells, without the read models.

The scan that was made last is what holds, whatever order they came in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Row = dict[str, Any]

_BETWEEN: Final = re.compile(r"[ \t-]")


def carried(entries: Iterable[Row]) -> dict[int, Row]:
    """By the position of each handover that names a parcel: its number, and where its carrier says that it is.

    ``entries`` have ``position``, ``occurred_at``, ``type`` and ``data`` as an object.
    """
    entries = list(entries)
    last: dict[str, Row] = {}
    scans = [entry for entry in entries if entry["type"] == "item.tracked"]
    for scan in sorted(scans, key=lambda entry: (entry["occurred_at"], entry["position"])):
        last[_number(scan["data"])] = scan
    found = {}
    for entry in entries:
        if entry["type"] == "item.handed_over" and (number := _number(entry["data"])):
            found[entry["position"]] = _parcel(entry["data"], last.get(number))
    return found


def _parcel(handover: Mapping[str, Any], scan: Row | None) -> Row:
    said: Mapping[str, Any] = scan["data"] if scan is not None else {}
    return {
        "carrier": handover.get("carrier") or said.get("carrier"),
        "tracking_number": handover["tracking_number"],
        "carrier_status": said.get("status"),
        "carrier_at": scan["occurred_at"] if scan is not None else None,
    }


#: The fields that a handover has of it.
NOTHING: Final[Row] = {"carrier": None, "tracking_number": None, "carrier_status": None, "carrier_at": None}


def with_parcels(handoffs: Sequence[Row], found: Mapping[int, Row]) -> list[Row]:
    """Handoffs with their parcels."""
    return [{**row, **found.get(row["position"], NOTHING)} for row in handoffs]


def last_parcel(handoffs: Sequence[Row], found: Mapping[int, Row]) -> Row | None:
    """Of the last handover, if it names a parcel, with ``to_party`` and whether it ``arrived``: was received there."""
    for row in handoffs[-1:]:
        if (parcel := found.get(row["position"])) is not None:
            return {"to_party": row["to_party"], **parcel, "arrived": row["state"] == "received"}
    return None


def _number(data: object) -> str:
    number = data.get("tracking_number") if isinstance(data, dict) else None
    return _BETWEEN.sub("", number).upper() if isinstance(number, str) else ""
