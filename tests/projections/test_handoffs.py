"""Who handed what to whom, and whether and when it came in."""

from __future__ import annotations

from typing import Any

from events.envelope import Event
from tests.projections.story import BENCH, IMPORTER, SHOP, Given, fact, handed, opened, received


def test_a_handoff_waits_until_its_receiver_says_it_came(given: Given) -> None:
    given(
        opened(),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        received(IMPORTER, "2026-03-03 12:30"),
    ).then_rows(
        "handoffs",
        {
            "from_party": SHOP,
            "to_party": IMPORTER,
            "handed_at": "2026-03-02T10:00:00Z",
            "received_at": "2026-03-03T12:30:00Z",
            "wait_seconds": 95_400,
            "state": "received",
            "ping_pong": False,
        },
    )


def test_a_receipt_by_somebody_else_does_not_meet_it(given: Given) -> None:
    given(
        opened(),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        received(BENCH, "2026-03-03 12:30"),
    ).then_rows("handoffs", {"to_party": IMPORTER, "received_at": None, "state": "open"})


def test_what_is_handed_on_before_it_was_received_is_superseded(given: Given) -> None:
    given(
        opened(),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        handed(IMPORTER, BENCH, "2026-03-04 10:00"),
        received(BENCH, "2026-03-05 10:00"),
    ).then_rows(
        "handoffs",
        {"to_party": IMPORTER, "received_at": None, "state": "superseded"},
        {"to_party": BENCH, "received_at": "2026-03-05T10:00:00Z", "state": "received"},
    )


def test_an_order_that_closes_on_the_way_ends_the_wait(given: Given) -> None:
    given(
        opened(),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        fact("order.closed", SHOP, "2026-03-04 10:00", {"outcome": "cancelled"}),
    ).then_rows("handoffs", {"state": "closed", "received_at": None})


def test_a_receipt_timed_before_its_handover_was_no_wait(given: Given) -> None:
    given(
        opened(),
        received(IMPORTER, "2026-03-02 09:58"),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
    ).then_rows("handoffs", {"received_at": "2026-03-02T10:00:00Z", "wait_seconds": 0, "state": "received"})


def test_a_receipt_of_long_before_is_not_that_of_a_later_handover(given: Given) -> None:
    given(
        opened(),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        received(IMPORTER, "2026-03-03 10:00"),
        handed(SHOP, IMPORTER, "2026-03-20 10:00"),
    ).then_rows("handoffs", {"state": "received"}, {"state": "open", "received_at": None})


def test_what_somebody_handed_to_himself_is_not_received_by_what_came_before(given: Given) -> None:
    """Intake refuses it; a log may hold one of before that."""
    story = given(
        opened(),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        received(IMPORTER, "2026-03-03 10:00"),
        handed(IMPORTER, IMPORTER, "2026-03-03 11:00"),
    )
    story.then_rows("handoffs", {"state": "received"}, {"state": "open", "received_at": None})
    story.then_rows("commitments", {"state": "met"}, {"state": "open", "owner": IMPORTER}, kind="receive")


def test_an_order_that_is_taken_up_again_on_the_way_is_waited_for_again(given: Given) -> None:
    given(
        opened(),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        fact("order.closed", SHOP, "2026-03-04 10:00", {"outcome": "cancelled"}),
        fact("order.reopened", SHOP, "2026-03-05 10:00"),
    ).then_rows("handoffs", {"state": "open", "received_at": None})


def test_there_and_straight_back_is_a_ping_pong(given: Given) -> None:
    given(
        opened(),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        handed(IMPORTER, SHOP, "2026-03-03 10:00"),
        handed(SHOP, BENCH, "2026-03-04 10:00"),
    ).then_rows("handoffs", {"ping_pong": False}, {"ping_pong": True}, {"ping_pong": False}).then_order(
        ping_pongs=1, handoffs=3
    )


def test_lanes_count_and_measure_per_pair_of_parties(given: Given) -> None:
    facts = []
    for number, hours in enumerate((1, 2, 3, 4)):
        order = f"W-{number}"
        facts += [
            opened(order=order),
            handed(SHOP, BENCH, "2026-03-02 10:00", order=order),
            received(BENCH, f"2026-03-02 {10 + hours}:00", order=order),
        ]
    facts += [opened(order="W-9"), handed(SHOP, IMPORTER, "2026-03-02 10:00", order="W-9")]
    story = given(*facts)

    lanes = story.ask("handoffs")["lanes"]
    assert lanes[0] == {
        "from_party": SHOP,
        "to_party": BENCH,
        "count": 4,
        "received": 4,
        "never_received": 0,
        "waiting": 0,
        "wait_p50": 10_800,
        "wait_p90": 14_400,
        "wait_p99": 14_400,
        "carriers": {},
        "delivered_at": None,
    }
    assert (lanes[1]["to_party"], lanes[1]["waiting"], lanes[1]["wait_p50"]) == (IMPORTER, 1, None)
    assert story.ask("handoffs", limit=1)["totals"]["count"] == 5
    assert [lane["to_party"] for lane in story.ask("handoffs", to=IMPORTER)["lanes"]] == [IMPORTER]
    assert story.ask("handoffs", from_=BENCH)["lanes"] == []


def test_of_several_things_each_is_waited_for_by_itself(given: Given) -> None:
    """One lamp was lost on its way, and that the other one had gone and come hid it."""

    def lamp(name: str, source: str, time: str, item: str, **data: Any) -> Event:
        return fact(name, source, time, {**data, "item": item}, id=f"{name} {item} {time}")

    story = given(
        opened(customer=None),
        lamp("item.handed_over", SHOP, "2026-03-02 15:00", "lamp 1", to=IMPORTER),
        lamp("item.handed_over", SHOP, "2026-03-02 15:05", "lamp 2", to=BENCH),
        lamp("item.received", BENCH, "2026-03-03 10:00", "lamp 2"),
        lamp("item.handed_over", BENCH, "2026-03-06 15:00", "lamp 2", to=SHOP),
        lamp("item.received", SHOP, "2026-03-09 10:00", "lamp 2"),
    )
    story.then_rows(
        "handoffs",
        {"to_party": IMPORTER, "state": "open", "received_at": None},
        {"to_party": BENCH, "state": "received", "received_at": "2026-03-03T10:00:00Z"},
        {"to_party": SHOP, "state": "received", "ping_pong": True},
    )
    assert [(row["kind"], row["owner"]) for row in story.at("2026-03-10 12:00").ask("stalled")["stalled"]] == [
        ("receive", IMPORTER)
    ]
