"""What carriers last said of parcels whose receipt is awaited: of commitments to receive, and of handoffs by lane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

import orjson

from projections.parcels import carried
from projections.queries.reading import Reading, Row

_SAID: Final = ("carrier", "tracking_number", "carrier_status", "carrier_at")


def with_awaited(reading: Reading, rows: Iterable[Row]) -> list[Row]:
    """Rows of commitments, each with its ``parcel``: None unless it is to receive one of which a carrier spoke."""
    rows = list(rows)
    stories = _stories(reading, {row["order"] for row in rows if row["kind"] == "receive"})
    parcels = {order: carried(entries) for order, entries in stories.items()}
    return [row | {"parcel": _awaited(row, stories.get(row["order"], []), parcels)} for row in rows]


def _awaited(row: Row, story: list[Row], parcels: dict[str, dict[int, Row]]) -> Row | None:
    if row["kind"] != "receive":
        return None
    sent = [
        entry["position"]
        for entry in story
        if (entry["type"], entry["occurred_at"], entry["data"].get("to"))
        == ("item.handed_over", row["opened_at"], row["owner"])
    ]
    return _told(parcels[row["order"]].get(sent[-1]), row["opened_at"]) if sent else None


def said_of_lanes(reading: Reading, from_party: str | None, to_party: str | None) -> dict[tuple[str, str], Row]:
    """By lane, of the handoffs that wait there: how many are where by what their carriers say (``carriers``), and when
    the first of them was delivered (``delivered_at``). A lane of which nobody spoke is not there."""
    waiting = reading.rows("lanes_tracked", from_party=from_party, to_party=to_party)
    stories = _stories(reading, {row["order"] for row in waiting})
    parcels = {order: carried(entries) for order, entries in stories.items()}
    counts: dict[tuple[str, str], Counter[str]] = {}
    first: dict[tuple[str, str], str] = {}
    for row in waiting:
        handed_at = {entry["position"]: entry["occurred_at"] for entry in stories.get(row["order"], ())}
        said = _told(parcels.get(row["order"], {}).get(row["position"]), handed_at.get(row["position"], ""))
        if said is None:
            continue
        lane = row["from_party"], row["to_party"]
        counts.setdefault(lane, Counter())[said["carrier_status"]] += 1
        if said["carrier_status"] == "delivered":
            first[lane] = min(first.get(lane, said["carrier_at"]), said["carrier_at"])
    return {lane: {"carriers": dict(found), "delivered_at": first.get(lane)} for lane, found in counts.items()}


def together(lanes: Collection[Row]) -> Row:
    """The same of several lanes."""
    counts: Counter[str] = Counter()
    for lane in lanes:
        counts.update(lane["carriers"])
    delivered = [lane["delivered_at"] for lane in lanes if lane["delivered_at"] is not None]
    return {"carriers": dict(counts), "delivered_at": min(delivered, default=None)}


def _told(parcel: Row | None, handed_at: str) -> Row | None:
    """What was said of a parcel. A carrier uses its numbers again: one delivered before it was sent was another."""
    if parcel is None or parcel["carrier_status"] is None:
        return None
    if parcel["carrier_status"] == "delivered" and parcel["carrier_at"] < handed_at:
        return None
    return {name: parcel[name] for name in _SAID}


def _stories(reading: Reading, orders: Collection[str]) -> dict[str, list[Row]]:
    """Handovers and scans of each of ``orders`` that has any with a parcel."""
    if not orders:
        return {}
    rows = reading.rows("carried_of", orders=sorted(orders), as_of=reading.as_of, known_at=reading.known_at)
    stories: dict[str, list[Row]] = {}
    for row in rows:
        stories.setdefault(row["order"], []).append(row | {"data": orjson.loads(row["data"])})
    return stories
