"""Where an order stands, who has it, and what comes next."""

from __future__ import annotations

from typing import Any

from events.envelope import Event
from tests.projections.story import BENCH, IMPORTER, SHOP, Given, fact, handed, opened, received, sent


def bench(name: str, time: str, **data: Any) -> Event:
    return fact(name, BENCH, time, data)


AT_THE_BENCH = [opened(), handed(SHOP, BENCH, "2026-03-02 10:00"), received(BENCH, "2026-03-03 09:00")]


def test_an_order_that_was_just_taken_in(given: Given) -> None:
    story = given(opened(fault_text="It stopped", urgency="urgent"))
    assert story.order() == {
        "order_id": "W-1",
        "status": "taken_in",
        "open": True,
        "since": "2026-03-02T09:00:00Z",
        "holder": SHOP,
        "heading_to": None,
        "accountable": SHOP,
        "customer": "C-1",
        "opened_by": SHOP,
        "opened_at": "2026-03-02T09:00:00Z",
        "closed_at": None,
        "outcome": None,
        "brand": "Tide",
        "model": "Diver",
        "description": None,
        "at_home": False,
        "serial": "SN-W-1",
        "fault_text": "It stopped",
        "urgency": "urgent",
        "category": None,
        "next_step": "look at it or send it on",
        "next_owner": SHOP,
        "next_due": "2026-03-02T17:00:00Z",  # within eight hours, for it is urgent
        "last_told_at": None,
        "last_told_kind": None,
        "next_news_by": None,
        "facts": 1,
        "handoffs": 0,
        "reopenings": 0,
        "ping_pongs": 0,
        "contacts_started": 0,
        "messages_sent": 0,
        "first_position": 1,
        "last_position": 1,
        "references": [],
        "merged": [],
        "parcel": None,
        # Nobody said from when to look.
        "ball": None,
        "time_spent": [],
    }


def test_on_its_way_the_receiver_owes_the_next_step(given: Given) -> None:
    given(opened(), handed(SHOP, BENCH, "2026-03-02 10:00")).then_order(
        status="in_transit",
        holder=SHOP,
        heading_to=BENCH,
        next_step="confirm receipt",
        next_owner=BENCH,
        next_due="2026-03-04T10:00:00Z",
    )


STATUSES: list[tuple[list[Any], str, str]] = [
    ([], "received", BENCH),
    (["diagnosis.made", {"summary": "worn"}], "diagnosed", BENCH),
    (["quote.offered", {"quote": "Q", "amount": 1, "currency": "EUR"}], "waiting_for_approval", "customer"),
    (["quote.accepted", {}], "approved", BENCH),
    (["quote.declined", {}], "quote_declined", BENCH),
    (["part.ordered", {"part": "stem"}], "waiting_for_part", BENCH),
    (["part.arrived", {"part": "stem"}], "part_arrived", BENCH),
    (["part.rejected", {"part": "stem", "why": "wrong"}], "waiting_for_part", BENCH),
    (["repair.started", {}], "in_repair", BENCH),
    (["repair.completed", {}], "repaired", BENCH),
    (["unit.replaced", {}], "replaced", BENCH),
    (["repair.failed", {"why": "no part"}], "repair_failed", SHOP),
    (["work.paused", {"waiting_for": "customer"}], "waiting_for_customer", "customer"),
    (["work.paused", {"waiting_for": "part"}], "waiting_for_part", BENCH),
    (["work.paused", {"waiting_for": "importer", "who": IMPORTER}], "waiting", IMPORTER),
    (["item.returned", {}], "returned", SHOP),
]


def test_the_last_fact_that_bears_on_it_gives_the_status(given: Given) -> None:
    facts = []
    for number, (last, _, _) in enumerate(STATUSES):
        order = f"W-{number}"
        facts += [opened(order=order), handed(SHOP, BENCH, "2026-03-02 10:00", order=order)]
        facts += [received(BENCH, "2026-03-03 09:00", order=order)]
        facts += [fact(last[0], BENCH, "2026-03-03 10:00", last[1], order=order)] if last else []
    story = given(*facts)
    for number, (_, status, owner) in enumerate(STATUSES):
        holder = "customer" if status == "returned" else BENCH
        story.then_order(f"W-{number}", status=status, next_owner=owner, holder=holder, heading_to=None)


def test_work_that_resumes_stands_where_it_stood_before_the_pause(given: Given) -> None:
    given(
        *AT_THE_BENCH,
        bench("repair.started", "2026-03-03 10:00"),
        bench("work.paused", "2026-03-03 11:00", waiting_for="part"),
        bench("work.resumed", "2026-03-04 11:00"),
    ).then_order(status="in_repair", since="2026-03-03T10:00:00Z")


def test_back_at_the_shop_after_the_work_it_is_ready_and_after_a_reopening_no_more(given: Given) -> None:
    mended = [
        *AT_THE_BENCH,
        bench("repair.completed", "2026-03-04 10:00"),
        handed(BENCH, SHOP, "2026-03-04 11:00"),
        received(SHOP, "2026-03-05 09:00"),
    ]
    given(*mended).then_order(status="ready", holder=SHOP, next_step="collect", next_owner="customer")
    given(
        *mended,
        fact("order.closed", SHOP, "2026-03-06 09:00", {"outcome": "repaired"}),
        fact("order.reopened", SHOP, "2026-03-20 09:00", {"reason": "stopped again"}),
        received(SHOP, "2026-03-20 09:05", id="again"),
    ).then_order(status="received", open=True, reopenings=1, closed_at=None, outcome=None)


def test_facts_after_the_close_do_not_reopen(given: Given) -> None:
    story = given(
        *AT_THE_BENCH,
        fact("order.closed", SHOP, "2026-03-06 09:00", {"outcome": "replaced"}),
        sent("2026-03-06 09:05", kind="repaired"),
        received(SHOP, "2026-03-07 09:00"),
    ).then_order(status="closed", open=False, closed_at="2026-03-06T09:00:00Z", outcome="replaced", next_step=None)
    assert story.ask("stats")["open_orders"] == 0
    assert story.ask("orders", open=True) == {"orders": [], "total": 0}


def test_facts_count_by_when_they_happened_not_by_when_they_came(given: Given) -> None:
    late = received(BENCH, "2026-03-03 09:00", recorded="2026-03-09 12:00")
    given(
        opened(),
        handed(SHOP, BENCH, "2026-03-02 10:00"),
        bench("diagnosis.made", "2026-03-04 10:00", summary="worn"),
        late,
    ).then_order(status="diagnosed", holder=BENCH).then_rows("handoffs", {"wait_seconds": 82_800})


def test_a_fact_cannot_have_happened_after_we_knew_it(given: Given) -> None:
    story = given(opened(), received(BENCH, "2026-03-30 09:00", recorded="2026-03-03 09:00"))
    assert story.order()["since"] == "2026-03-03T09:00:00Z"


def test_an_order_without_an_opening_is_an_order_all_the_same(given: Given) -> None:
    story = given(received(BENCH, "2026-03-03 09:00"))
    story.then_order(status="received", holder=BENCH, accountable=None, opened_at=None, open=True)


def test_lists_are_filtered_counted_and_cut(given: Given) -> None:
    story = given(*(opened(f"2026-03-02 09:0{number}", order=f"W-{number}") for number in range(5)), *AT_THE_BENCH[1:])
    answer = story.ask("orders", limit=2)
    assert (answer["total"], [row["order_id"] for row in answer["orders"]]) == (5, ["W-1", "W-4"])
    assert [row["order_id"] for row in story.ask("orders", limit=2, offset=2)["orders"]] == ["W-3", "W-2"]
    assert [row["order_id"] for row in story.ask("orders", holder=BENCH)["orders"]] == ["W-1"]
    assert story.ask("orders", status="taken_in")["total"] == 4
    assert story.ask("orders", open=False)["total"] == 0


def test_what_she_had_to_start_is_counted_and_the_first_person_is_measured_apart_from_the_first_machine(
    given: Given,
) -> None:
    asked = fact("question.asked", "customer:C-1", "2026-03-06 11:00", {"question": "q1", "text": "Where?", "to": SHOP})
    call = fact("customer.contacted", SHOP, "2026-03-06 12:00", {"channel": "phone", "direction": "inbound"})
    told = sent("2026-03-06 09:01")
    answer = fact("question.answered", SHOP, "2026-03-06 13:00", {"question": "q1", "text": "At the bench."})
    story = given(opened("2026-03-06 09:00"), told, asked, call, answer)
    figures = story.ask("stats")
    assert (figures["customer_contacts"], figures["orders_with_contacts"], figures["contacts_per_order"]) == (2, 1, 2.0)
    assert (figures["first_message_p50"], figures["first_answer_p50"]) == (60, 4 * 3600)


def test_contacts_about_orders_whose_customer_nobody_knows_are_not_those_of_others(given: Given) -> None:
    call = fact("customer.contacted", SHOP, "2026-03-06 12:00", {"channel": "phone", "direction": "inbound"})
    imported = fact("order.opened", SHOP, "2026-03-06 09:00", {"product": {}}, order="I-1")
    called = fact("customer.contacted", SHOP, "2026-03-06 12:00", call.data, order="I-1")
    figures = given(opened("2026-03-06 09:00"), call, imported, called).ask("stats")
    assert (figures["customer_contacts"], figures["orders_with_contacts"], figures["contacts_per_order"]) == (2, 2, 1.0)


def test_an_answer_of_hers_is_no_answer_of_a_persons(given: Given) -> None:
    hers = fact("question.answered", "customer:C-1", "2026-03-06 13:00", {"question": "q1", "text": "Ten hours."})
    assert given(opened("2026-03-06 09:00"), hers).ask("stats")["first_answer_p50"] is None


# -- a unit that another one took the place of -------------------------------------------------------------------------


def unit(name: str, source: str, time: str, serial: str, **data: Any) -> Event:
    return fact(name, source, time, {**data, "item": serial}, id=f"{name} {time}")


def swapped(source: str, time: str, old: str = "OLD", new: str = "NEW") -> Event:
    return fact("unit.replaced", source, time, {"old_serial": old, "new_serial": new})


def test_with_the_replacement_in_her_hands_the_old_unit_is_on_its_way_for_the_chain_alone(given: Given) -> None:
    """The new one was sent ahead, and she has it; that the old one came in, the importer owes all the same."""
    has_it = (
        opened(),
        swapped(IMPORTER, "2026-03-03 10:00"),
        unit("item.handed_over", IMPORTER, "2026-03-03 11:00", "NEW", to=SHOP),
        unit("item.received", SHOP, "2026-03-05 10:00", "NEW"),
        unit("item.returned", SHOP, "2026-03-06 14:00", "NEW"),
    )
    with_her: dict[str, Any] = {
        "status": "returned",
        "holder": "customer",
        "heading_to": None,
        "since": "2026-03-06T14:00:00Z",
    }
    away = unit("item.handed_over", SHOP, "2026-03-06 15:00", "OLD", to=IMPORTER)
    story = given(*has_it, away).then_order(**with_her)
    story.then_rows("commitments", {"state": "met"}, {"state": "open", "owner": IMPORTER}, kind="receive")
    there = unit("item.received", IMPORTER, "2026-03-09 15:00", "OLD")
    here = given(*has_it, away, there).then_order(**with_her)
    assert [row["kind"] for row in here.rows("commitments") if row["state"] == "open"] == ["update", "check"]
    # Where it went before, it was hers; and so it is again once it has taken back its place.
    back = (swapped(SHOP, "2026-03-10 10:00", "NEW", "OLD"), unit("item.returned", SHOP, "2026-03-11 10:00", "OLD"))
    given(*has_it, away, there, *back).then_order(since="2026-03-11T10:00:00Z")
    before = given(opened(), unit("item.handed_over", SHOP, "2026-03-02 15:00", "OLD", to=IMPORTER))
    before.then_order(status="in_transit", heading_to=IMPORTER)


def test_what_is_replaced_while_it_is_lost_on_its_way_is_with_whoever_replaced_it(given: Given) -> None:
    lost = (opened(), handed(SHOP, BENCH, "2026-03-02 15:00"))
    given(*lost, swapped(SHOP, "2026-03-17 12:00")).then_order(
        status="replaced", holder=SHOP, heading_to=None, since="2026-03-17T12:00:00Z"
    )
    given(*lost, swapped(IMPORTER, "2026-03-17 12:00")).then_order(status="replaced", holder=IMPORTER)


def test_what_took_its_place_elsewhere_is_with_whoever_says_so(given: Given) -> None:
    """And is not ready for her at the shop, which has the old one at most."""
    by_importer = swapped(IMPORTER, "2026-03-17 12:00")
    at_bench = (handed(SHOP, BENCH, "2026-03-02 15:00"), received(BENCH, "2026-03-03 09:00"))
    for before in ((), at_bench):
        given(opened(), *before, by_importer).then_order(status="replaced", holder=IMPORTER)
    given(opened(), *at_bench, swapped(SHOP, "2026-03-17 12:00")).then_order(holder=BENCH)
    # Where it stays at her home, it was replaced there.
    given(opened(at_home=True), by_importer).then_order(status="replaced", holder=SHOP)
