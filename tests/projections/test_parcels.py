"""Where a parcel is by what its carrier says: the latest scan holds, whatever order they came in, and is no receipt."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from events.envelope import Event
from services.notices import commitment_notice
from tests.projections.story import IMPORTER, SHOP, Given, corrected, fact, handed, opened, received

SCANS = (("announced", "2026-03-02 09:30"), ("in_transit", "2026-03-02 20:00"), ("delivered", "2026-03-03 11:00"))
HANDED = fact(
    "item.handed_over",
    SHOP,
    "2026-03-02 10:00",
    {"to": IMPORTER, "carrier": "PostRun", "tracking_number": "3s 1-23"},
)


def scan(status: str, time: str, number: str = "3S123") -> Event:
    return fact("item.tracked", "chain:carriers", time, {"tracking_number": number, "status": status})


@pytest.mark.parametrize("order", list(itertools.permutations(SCANS)), ids=lambda order: "-".join(s for s, _ in order))
def test_the_latest_scan_holds_in_whatever_order_they_came(given: Given, order: tuple[tuple[str, str], ...]) -> None:
    story = given(opened(), HANDED, *(scan(*each) for each in order))
    parcel = story.order()["parcel"]
    assert (parcel["carrier_status"], parcel["carrier_at"]) == ("delivered", "2026-03-03T11:00:00Z")
    assert (parcel["tracking_number"], parcel["carrier"], parcel["to_party"]) == ("3s 1-23", "PostRun", IMPORTER)
    assert story.ask("timeline", order="W-1")["order"]["parcel"] == parcel


def test_that_the_carrier_delivered_it_is_no_receipt(given: Given) -> None:
    story = given(opened(), HANDED, scan("delivered", "2026-03-03 11:00"))
    story.then_order(status="in_transit", holder=SHOP, next_step="confirm receipt", next_owner=IMPORTER)
    story.then_rows("commitments", {"state": "open", "owner": IMPORTER}, kind="receive")
    (handoff,) = story.ask("timeline", order="W-1")["handoffs"]
    assert (handoff["state"], handoff["carrier_status"]) == ("open", "delivered")


def test_when_it_was_received_that_is_said(given: Given) -> None:
    story = given(opened(), HANDED, scan("delivered", "2026-03-03 11:00"), received(IMPORTER, "2026-03-03 12:00"))
    assert story.order()["parcel"]["arrived"] is True


def test_how_it_was_then(given: Given) -> None:
    story = given(opened(), HANDED, *(scan(*each) for each in SCANS))
    assert story.order(as_of="2026-03-02T21:00:00Z")["parcel"]["carrier_status"] == "in_transit"
    assert story.order(as_of="2026-03-02T10:30:00Z")["parcel"]["carrier_status"] == "announced"
    assert story.order(as_of="2026-03-02T09:15:00Z")["parcel"] is None


def test_a_handover_without_a_number_and_one_that_was_taken_back_have_no_parcel(given: Given) -> None:
    assert given(opened(), handed(SHOP, IMPORTER, "2026-03-02 10:00")).order()["parcel"] is None
    story = given(opened(), HANDED, scan("in_transit", "2026-03-02 20:00"), corrected(HANDED, "2026-03-03 09:00"))
    assert story.order()["parcel"] is None
    assert story.ask("parcels", numbers=["3S123"], since="2026-01-01T00:00:00Z")["handovers"] == []


def test_parcels_are_found_by_their_numbers_however_they_were_written(given: Given) -> None:
    data = {"to": IMPORTER, "tracking_number": "other"}
    other = fact("item.handed_over", SHOP, "2026-03-02 10:00", data, id="h2")
    story = given(opened(), HANDED, other, scan("in_transit", "2026-03-02 20:00"))
    found = story.ask("parcels", numbers=["3S123"], since="2026-01-01T00:00:00Z")
    assert [(row["number"], row["order"], row["id"]) for row in found["handovers"]] == [("3S123", "W-1", HANDED.id)]
    assert len(found["tracked"]) == 1
    assert story.ask("parcels", numbers=["3S123"], since="2026-06-01T00:00:00Z")["handovers"] == []


def test_what_is_overdue_says_what_the_carrier_said(given: Given) -> None:
    story = given(opened(), HANDED, *(scan(*each) for each in SCANS))
    late = "2026-03-20T12:00:00Z"
    said = {
        "carrier": "PostRun",
        "tracking_number": "3s 1-23",
        "carrier_status": "delivered",
        "carrier_at": "2026-03-03T11:00:00Z",
    }
    for query in ("stalled", "sweep"):
        rows = {row["kind"]: row["parcel"] for row in story.ask(query, now=late)[query]}
        assert rows.pop("receive") == said
        assert set(rows.values()) <= {None}
    known = story.ask("stalled", now=late, known_at="2026-03-02T12:00:00Z")["stalled"]
    assert all(row["parcel"] is None or row["parcel"]["carrier_status"] != "delivered" for row in known)
    untold = given(opened(), HANDED)
    assert [row["parcel"] for row in untold.ask("stalled", now=late)["stalled"] if row["kind"] == "receive"] == [None]


def test_the_notice_to_the_receiver_says_it_too(given: Given) -> None:
    story = given(opened(), HANDED, *(scan(*each) for each in SCANS))
    now = datetime(2026, 3, 20, 12, tzinfo=UTC)
    (row,) = (row for row in story.ask("sweep", now=now.isoformat())["sweep"] if row["kind"] == "receive")
    notice = commitment_notice("commitment.overdue", row, now, IMPORTER)
    assert (notice.tracking_number, notice.carrier_status) == ("3s 1-23", "delivered")
    assert notice.carrier_at == datetime(2026, 3, 3, 11, tzinfo=UTC)
    untold = commitment_notice("commitment.overdue", row | {"parcel": None}, now, IMPORTER)
    assert "carrier_status" not in untold.model_dump(exclude_none=True)


def test_a_parcel_that_was_delivered_before_it_was_sent_was_another(given: Given) -> None:
    story = given(opened(), HANDED, scan("delivered", "2026-02-20 11:00"))
    rows = story.ask("stalled", now="2026-03-20T12:00:00Z")["stalled"]
    assert [row["parcel"] for row in rows if row["kind"] == "receive"] == [None]
    assert story.ask("handoffs")["totals"]["carriers"] == {}


def test_lanes_say_how_many_of_those_that_wait_were_delivered(given: Given) -> None:
    story = given(opened(), HANDED, *(scan(*each) for each in SCANS))
    answer = story.ask("handoffs")
    (lane,) = answer["lanes"]
    for row in (lane, answer["totals"]):
        assert (row["carriers"], row["delivered_at"]) == ({"delivered": 1}, "2026-03-03T11:00:00Z")
    there = given(opened(), HANDED, *(scan(*each) for each in SCANS), received(IMPORTER, "2026-03-04 09:00"))
    assert there.ask("handoffs")["totals"]["carriers"] == {}
    assert given(opened(), HANDED).ask("handoffs", to="repairer:none")["totals"]["carriers"] == {}
