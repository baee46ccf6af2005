"""Who owes what, by when, and what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from events.envelope import Event
from events.party import POLICY
from projections.policy import Policy
from tests.projections.story import (
    BENCH,
    IMPORTER,
    SHOP,
    WATCHDOG,
    Given,
    Story,
    closed_party,
    corrected,
    fact,
    handed,
    messages_of,
    opened,
    received,
    sent,
)

#: A Friday; Amsterdam is an hour ahead of UTC until 29 March.
OPENED = opened("2026-03-06 09:00", customer=None)
LEFT = handed(SHOP, IMPORTER, "2026-03-06 15:30")
HERS = opened("2026-03-06 09:00")


def at_the_bench(*facts: Event) -> tuple[Event, ...]:
    """The bench has it since Monday 9 March, 10:00 local time."""
    return (HERS, handed(SHOP, BENCH, "2026-03-06 15:30"), received(BENCH, "2026-03-09 09:00"), *facts)


def overdue(commitment: str, kind: str, level: int, time: str, due: str) -> Event:
    data = {"commitment": commitment, "kind": kind, "level": level, "owed_by": IMPORTER, "due": due}
    return fact("commitment.overdue", WATCHDOG, time, data)


def adopted(policy: str, time: str) -> Event:
    read = Policy.parse(policy)
    return fact("policy.adopted", WATCHDOG, time, {"digest": read.digest, "policy": read.canonical()}, order=POLICY)


# -- receive, and what all kinds share ---------------------------------------------------------------------------------


def test_a_receipt_is_owed_within_two_working_days_of_the_receiver(given: Given) -> None:
    story = given(OPENED, LEFT)
    story.then_rows(
        "commitments",
        {
            "commitment_id": f"receive/W-1/{SHOP}/{LEFT.id}",
            "kind": "receive",
            "owner": IMPORTER,
            "owed_to": SHOP,
            "opened_at": "2026-03-06T15:30:00Z",
            "due_at": "2026-03-10T15:30:00Z",
            "state": "open",
            "rule": "receive",
            "level": 0,
        },
        kind="receive",
    )
    assert story.at("2026-03-10 15:30").ask("stalled")["stalled"] == []
    (row,) = story.at("2026-03-10 16:30").ask("stalled")["stalled"]
    assert {name: row[name] for name in ("order", "kind", "owner", "due_at", "state", "overdue_seconds", "met_at")} == {
        "order": "W-1",
        "kind": "receive",
        "owner": IMPORTER,
        "due_at": "2026-03-10T15:30:00Z",
        "state": "overdue",
        "overdue_seconds": 3_600,
        "met_at": None,
    }


def test_a_receipt_meets_it_late_or_in_time(given: Given) -> None:
    given(OPENED, LEFT, received(IMPORTER, "2026-03-10 15:31")).then_rows(
        "commitments", {"state": "met", "met_late": True, "ended_at": "2026-03-10T15:31:00Z"}, kind="receive"
    )
    given(OPENED, LEFT, received(IMPORTER, "2026-03-10 15:30")).then_rows(
        "commitments", {"state": "met", "met_late": False}, kind="receive"
    )


def test_who_expects_it_by_a_date_has_it_due_by_that(given: Given) -> None:
    left = fact("item.handed_over", SHOP, "2026-03-06 15:30", {"to": IMPORTER, "expected_by": "2026-03-09T11:00:00Z"})
    given(OPENED, left).then_rows(
        "commitments",
        {"due_at": "2026-03-09T11:00:00Z", "promised_by": SHOP, "promises": 1, "rule": "receive"},
        kind="receive",
    )


def test_the_accountable_party_is_who_the_opening_names(given: Given) -> None:
    given(opened(accountable=BENCH, customer=None), LEFT).then_rows(
        "commitments", {"owed_to": BENCH, "accountable": BENCH}, kind="receive"
    ).then_order(accountable=BENCH, opened_by=SHOP)


def test_a_closure_moves_what_is_due_whenever_it_is_announced(given: Given) -> None:
    holiday = closed_party(IMPORTER, "2026-03-08 23:00", "2026-03-22 23:00")
    before = given(holiday, OPENED, LEFT)
    before.then_rows("commitments", {"due_at": "2026-03-24T15:30:00Z"}, kind="receive")
    after = given(OPENED, LEFT, handed(SHOP, BENCH, "2026-03-06 15:45", order="W-2"))
    after.then_rows("commitments", {"due_at": "2026-03-10T15:30:00Z"}, kind="receive")
    after.database.apply(messages_of([holiday], first=4))
    after.then_rows("commitments", {"due_at": "2026-03-24T15:30:00Z"}, kind="receive")
    after.then_rows("commitments", {"due_at": "2026-03-10T15:45:00Z"}, order="W-2", kind="receive")

    after.database.apply(messages_of([corrected(holiday, "2026-03-08 10:00")], first=5))
    after.then_rows("commitments", {"due_at": "2026-03-10T15:30:00Z"}, kind="receive")
    importer = next(party for party in before.ask("parties")["parties"] if party["party"] == IMPORTER)
    assert importer["closures"] == [
        {"from": "2026-03-08T23:00:00Z", "until": "2026-03-22T23:00:00Z", "reason": "holiday"}
    ]


def test_it_is_noted_how_often_it_was_overdue(given: Given) -> None:
    due, name = "2026-03-10T15:30:00Z", f"receive/W-1/{SHOP}/{LEFT.id}"
    story = given(
        OPENED,
        LEFT,
        overdue(name, "receive", 1, "2026-03-10 15:31", due),
        overdue(name, "receive", 2, "2026-03-12 15:31", due),
    )
    story.then_rows("commitments", {"level": 2, "state": "open"}, kind="receive")
    assert story.ask("stats")["commitments_overdue_noted"] == 1


# -- the work ----------------------------------------------------------------------------------------------------------


def lanes(story: Story, *kinds: str) -> list[tuple[Any, ...]]:
    """Kind, owner and state of the order's commitments, in the order in which they were opened."""
    rows = story.rows("commitments")
    return [(row["kind"], row["owner"], row["state"]) for row in rows if not kinds or row["kind"] in kinds]


WORK = ("forward", "diagnose", "repair", "return", "part")


def test_whoever_has_it_owes_the_next_step_from_hand_to_hand(given: Given) -> None:
    story = given(
        OPENED,
        handed(SHOP, IMPORTER, "2026-03-06 15:30"),
        received(IMPORTER, "2026-03-09 09:00"),
        handed(IMPORTER, BENCH, "2026-03-09 10:00"),
        received(BENCH, "2026-03-10 09:00"),
        fact("diagnosis.made", BENCH, "2026-03-11 09:00", {"summary": "crown"}),
        fact("repair.started", BENCH, "2026-03-12 09:00"),
        fact("repair.completed", BENCH, "2026-03-13 09:00"),
        handed(BENCH, SHOP, "2026-03-16 09:00"),
        received(SHOP, "2026-03-17 09:00"),
        fact("item.returned", SHOP, "2026-03-18 09:00"),
    )
    assert lanes(story, *WORK) == [
        ("forward", SHOP, "met"),
        ("forward", IMPORTER, "met"),
        ("diagnose", BENCH, "met"),
        ("repair", BENCH, "met"),
        ("forward", BENCH, "met"),
        ("return", SHOP, "met"),
    ]
    repair = next(row for row in story.rows("commitments") if row["kind"] == "repair")
    # Begun: it is the same repair that was owed since the diagnosis.
    assert (repair["opened_at"], repair["ended_at"]) == ("2026-03-11T09:00:00Z", "2026-03-13T09:00:00Z")


def test_a_part_is_waited_for_instead_of_the_repair_and_the_wrong_one_is_owed_again(given: Given) -> None:
    story = given(
        *at_the_bench(
            fact("diagnosis.made", BENCH, "2026-03-10 09:00", {"summary": "crown"}),
            fact("part.ordered", BENCH, "2026-03-10 10:00", {"part": "stem", "expected_by": "2026-03-20T16:00:00Z"}),
            fact("part.arrived", BENCH, "2026-03-19 10:00", {"part": "stem"}),
            fact("part.rejected", BENCH, "2026-03-19 11:00", {"part": "stem", "why": "of another model"}),
            fact("part.arrived", BENCH, "2026-03-26 10:00", {"part": "stem"}),
        )
    )
    assert lanes(story, "repair", "part") == [
        ("repair", BENCH, "cancelled"),
        ("part", BENCH, "met"),
        ("repair", BENCH, "cancelled"),
        ("part", BENCH, "met"),
        ("repair", BENCH, "open"),
    ]
    ordered = next(row for row in story.rows("commitments") if row["kind"] == "part")
    assert (ordered["due_at"], ordered["topic"], ordered["met_late"]) == ("2026-03-20T16:00:00Z", "stem", False)


def test_a_repair_that_fails_ends_the_wait_for_parts_and_sends_it_back(given: Given) -> None:
    story = given(
        *at_the_bench(
            fact("part.ordered", BENCH, "2026-03-10 10:00", {"part": "stem"}),
            fact("repair.failed", BENCH, "2026-03-16 10:00", {"why": "the part cannot be had", "options": ["refund"]}),
        )
    )
    assert lanes(story, "part", "forward", "decide") == [
        ("forward", SHOP, "met"),
        ("part", BENCH, "cancelled"),
        ("decide", "customer:C-1", "open"),
        ("forward", BENCH, "paused"),
    ]


FAILED = fact("repair.failed", BENCH, "2026-03-16 10:00", {"why": "no part", "options": ["refund", "return_as_is"]})
HER_WORD = fact(
    "customer.contacted",
    "customer:C-1",
    "2026-03-18 10:00",
    {"channel": "phone", "direction": "inbound", "summary": "x"},
)


def test_while_her_choice_is_open_nobody_else_is_late(given: Given) -> None:
    story = given(*at_the_bench(FAILED))
    assert [row["kind"] for row in story.at("2026-03-30 10:00").ask("stalled")["stalled"]] == ["update", "decide"]
    # Two working days for the bench, which began only when she had said how she would like to go on.
    chosen = given(*at_the_bench(FAILED, HER_WORD))
    chosen.then_rows("commitments", {"state": "met"}, kind="decide")
    assert [(row["state"], row["due_at"]) for row in chosen.rows("commitments") if row["owner"] == BENCH][-1] == (
        "open",
        "2026-03-20T10:00:00Z",
    )


def test_a_failure_that_gives_her_no_choice_keeps_nobody_waiting(given: Given) -> None:
    plain = fact("repair.failed", BENCH, "2026-03-16 10:00", {"why": "no part"})
    assert lanes(given(*at_the_bench(plain)), "forward", "decide")[-1] == ("forward", BENCH, "open")


def test_another_attempt_elsewhere_ends_the_choice(given: Given) -> None:
    other = "repairer:second"
    on = (handed(BENCH, other, "2026-03-17 10:00"), received(other, "2026-03-18 10:00"))
    assert lanes(given(*at_the_bench(FAILED, *on)), "decide") == [("decide", "customer:C-1", "cancelled")]


def test_the_end_of_the_order_ends_all_that_is_owed_but_an_answer(given: Given) -> None:
    story = given(
        *at_the_bench(
            fact("question.asked", "customer:C-1", "2026-03-10 10:00", {"question": "q1", "text": "When?"}),
            fact("order.closed", SHOP, "2026-03-11 10:00", {"outcome": "cancelled"}),
        )
    )
    assert lanes(story, "diagnose", "answer", "update") == [
        ("update", SHOP, "cancelled"),
        ("diagnose", BENCH, "cancelled"),
        ("answer", SHOP, "open"),
    ]
    story.then_rows("commitments", {"owed_to": "customer:C-1", "topic": "q1"}, kind="answer")


def test_what_the_chain_asked_needs_no_answer_once_the_order_has_ended(given: Given) -> None:
    """Neither she nor another link is late with it for ever; what she asked, and what she complained of, is."""
    asked = fact("question.asked", SHOP, "2026-03-10 09:00", {"question": "q1", "text": "Strap?", "to": "customer"})
    among = fact("question.asked", BENCH, "2026-03-10 09:10", {"question": "q2", "text": "Slip?", "to": SHOP})
    hers = fact("question.asked", SHOP, "2026-03-10 09:20", {"question": "q3", "text": "When?", "to": SHOP})
    paused = fact("work.paused", BENCH, "2026-03-10 09:30", {"waiting_for": "customer", "why": "the strap"})
    not_well = fact("feedback.given", BENCH, "2026-03-10 09:40", {"holds": False})
    closed = fact("order.closed", SHOP, "2026-03-11 10:00", {"outcome": "cancelled"})
    story = given(*at_the_bench(asked, among, hers, paused, not_well, closed))
    answers = [row for row in story.rows("commitments") if row["kind"] == "answer"]
    assert {(row["topic"], row["owner"]): row["state"] for row in answers} == {
        ("q1", "customer:C-1"): "cancelled",
        ("q2", SHOP): "cancelled",
        ("q3", SHOP): "open",
        ("", "customer:C-1"): "cancelled",
        ("", SHOP): "open",
    }
    late = story.at("2026-05-11 10:00").ask("stalled")["stalled"]
    assert {row["owner"] for row in late if row["kind"] == "answer"} == {SHOP}
    # What is called off comes home all the same.
    assert {(row["kind"], row["owner"]) for row in late if row["owner"] != SHOP} == {("forward", BENCH)}


def test_a_reopened_order_is_owed_afresh(given: Given) -> None:
    story = given(
        *at_the_bench(
            fact("order.closed", SHOP, "2026-03-10 10:00", {"outcome": "cancelled"}),
            fact("order.reopened", SHOP, "2026-03-12 10:00"),
        )
    )
    assert lanes(story, "forward", "update") == [
        ("forward", SHOP, "met"),
        ("update", SHOP, "cancelled"),
        ("forward", BENCH, "cancelled"),
        ("forward", SHOP, "open"),
        ("update", SHOP, "open"),
    ]


# -- what waits for the customer ---------------------------------------------------------------------------------------

QUOTED = fact("quote.offered", BENCH, "2026-03-10 09:00", {"quote": "k1", "amount": "80.00", "currency": "EUR"})


def test_while_she_thinks_about_a_price_the_chain_is_paused_and_she_owes_the_answer(given: Given) -> None:
    story = given(*at_the_bench(QUOTED))
    story.then_rows("commitments", {"owner": BENCH, "state": "paused", "due_at": None}, kind="repair")
    story.then_rows("commitments", {"owner": "customer:C-1", "owed_to": SHOP, "state": "open"}, kind="decide")
    ball = story.at("2026-03-11 09:00").order()["ball"]
    assert (ball["kind"], ball["owner"]) == ("decide", "customer:C-1")


@pytest.mark.parametrize(("hours", "due"), [(0, "2026-03-24T09:00:00Z"), (3, "2026-03-24T12:00:00Z")])
def test_hours_of_waiting_for_the_customer_move_a_due_time_by_as_many(given: Given, hours: int, due: str) -> None:
    pause = [
        fact("work.paused", BENCH, "2026-03-11 09:00", {"waiting_for": "customer"}),
        fact("work.resumed", BENCH, f"2026-03-11 {9 + hours:02}:00"),
    ]
    diagnosis = fact("diagnosis.made", BENCH, "2026-03-10 09:00", {"summary": "crown"})
    story = given(*at_the_bench(diagnosis, *(pause if hours else [])))
    story.then_rows("commitments", {"due_at": due, "state": "open"}, kind="repair")


CLAIMED = fact("cover.claimed", SHOP, "2026-03-02 10:00", {"cause": "bought last year", "decider": "importer:noord"})
DECIDED = fact(
    "cover.decided",
    "importer:noord",
    "2026-03-09 10:00",
    {"decision": "covered", "cause": "a fault", "decider": "importer:noord"},
)


def test_nothing_is_sent_on_while_it_is_decided_who_pays(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), CLAIMED)
    story.then_rows("commitments", {"owner": SHOP, "state": "paused", "due_at": None}, kind="forward")
    ball = story.at("2026-03-05 09:00").order()["ball"]
    assert (ball["kind"], ball["owner"]) == ("cover", "importer:noord")
    assert [row["kind"] for row in story.at("2026-03-06 20:00").ask("stalled")["stalled"]] == []


def test_what_is_paused_says_what_it_waits_for(given: Given) -> None:
    asked = fact("question.asked", SHOP, "2026-03-02 11:00", {"question": "q", "text": "Which?", "to": "customer"})
    for also, waits_for in (((), ["cover"]), ((asked,), ["customer", "cover"])):
        story = given(opened("2026-03-02 09:00"), CLAIMED, *also).at("2026-03-05 09:00")
        for order in ({}, {"order": "W-1"}):
            rows = story.ask("commitments", **order)["commitments"]
            assert {
                row["kind"]: row["paused_for"] for row in rows if row["kind"] in ("forward", "cover", "update")
            } == {
                "forward": waits_for,
                "cover": ["customer"] if also else [],
                "update": [],
            }
        owed = story.ask("timeline", order="W-1")["commitments"]
        assert [row["paused_for"] for row in owed if row["kind"] == "forward"] == [waits_for]


def test_the_days_of_the_decision_do_not_count(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), CLAIMED, DECIDED)
    # Two working days from Monday at nine would end on Wednesday at nine; an hour of them had passed.
    story.then_rows("commitments", {"owner": SHOP, "state": "open", "due_at": "2026-03-11T09:00:00Z"}, kind="forward")


NOORD = "importer:noord"
#: Noord cannot decide without the watch, which is at the shop.
NEEDED = fact("work.paused", NOORD, "2026-03-03 10:00", {"waiting_for": "retailer", "who": SHOP})


def test_what_the_decider_needs_is_to_be_sent_and_the_decision_waits_for_it(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), CLAIMED, NEEDED)
    # An hour of two working days had passed on Monday; what is left counts from Tuesday at ten.
    story.then_rows("commitments", {"owner": SHOP, "state": "open", "due_at": "2026-03-05T09:00:00Z"}, kind="forward")
    story.then_rows("commitments", {"state": "paused", "due_at": None, "paused_for": ["item"]}, kind="cover")
    later = story.at("2026-03-06 20:00")
    assert [(row["kind"], row["owner"]) for row in later.ask("stalled")["stalled"]] == [("forward", SHOP)]
    ball = later.order()["ball"]
    assert (ball["kind"], ball["owner"]) == ("forward", SHOP)
    (forward,) = (row for row in later.ask("commitments")["commitments"] if row["kind"] == "forward")
    assert forward["waits"] == [{"from": "2026-03-02T10:00:00Z", "until": "2026-03-03T10:00:00Z", "for": "cover"}]


def test_the_decision_goes_on_once_the_decider_has_it(given: Given) -> None:
    sent, there = handed(SHOP, NOORD, "2026-03-04 10:00"), received(NOORD, "2026-03-06 10:00")
    on_the_way = given(opened("2026-03-02 09:00"), CLAIMED, NEEDED, sent)
    on_the_way.then_rows("commitments", {"state": "paused", "paused_for": ["item"]}, kind="cover")
    story = given(opened("2026-03-02 09:00"), CLAIMED, NEEDED, sent, there)
    story.then_rows("commitments", {"state": "open", "paused_for": []}, kind="cover")
    owed = story.at("2026-03-06 20:00").ask("commitments")["commitments"]
    (cover,) = (row for row in owed if row["kind"] == "cover")
    assert cover["waits"] == [{"from": "2026-03-03T10:00:00Z", "until": "2026-03-06T10:00:00Z", "for": "item"}]
    forward = {row["owner"]: (row["state"], row["paused_for"]) for row in owed if row["kind"] == "forward"}
    assert forward == {SHOP: ("met", []), NOORD: ("paused", ["cover"])}


OTHERS: list[tuple[str, Event | None, Event | None]] = [
    ("it can do without after all", NEEDED, fact("work.resumed", NOORD, "2026-03-04 10:00")),
    ("it waits for a part", fact("work.paused", NOORD, "2026-03-03 10:00", {"waiting_for": "part"}), None),
    ("it waits for a part now", NEEDED, fact("work.paused", NOORD, "2026-03-04 10:00", {"waiting_for": "part"})),
    ("it waits for another", fact("work.paused", NOORD, "2026-03-03 10:00", {"waiting_for": "repairer"}), None),
    (
        "it waits for another of the same role",
        fact("work.paused", NOORD, "2026-03-03 10:00", {"waiting_for": "retailer", "who": "retailer:kees"}),
        None,
    ),
    ("who does not decide needs it", fact("work.paused", BENCH, "2026-03-03 10:00", {"waiting_for": "retailer"}), None),
    ("it was said before the claim", fact("work.paused", NOORD, "2026-03-02 09:30", {"waiting_for": "retailer"}), None),
]


@pytest.mark.parametrize(("before", "then"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_nothing_else_has_it_sent_before_it_is_decided(given: Given, before: Event, then: Event | None) -> None:
    story = given(opened("2026-03-02 09:00"), CLAIMED, before, *([then] if then else []))
    story.then_rows("commitments", {"state": "paused", "paused_for": ["cover"]}, kind="forward")
    story.then_rows("commitments", {"state": "open", "paused_for": []}, kind="cover")


def test_whoever_has_it_may_be_meant_by_its_role_alone(given: Given) -> None:
    needed = fact("work.paused", NOORD, "2026-03-03 10:00", {"waiting_for": "retailer"})
    story = given(opened("2026-03-02 09:00"), CLAIMED, needed)
    story.then_rows("commitments", {"state": "open", "paused_for": []}, kind="forward")


def test_what_the_decider_needs_still_waits_for_her(given: Given) -> None:
    asked = fact("question.asked", SHOP, "2026-03-04 11:00", {"question": "q", "text": "Which?", "to": "customer"})
    story = given(opened("2026-03-02 09:00"), CLAIMED, NEEDED, asked)
    story.then_rows("commitments", {"state": "paused", "paused_for": ["customer"]}, kind="forward")
    story.then_rows("commitments", {"state": "paused", "paused_for": ["customer", "item"]}, kind="cover")


def test_the_decision_ends_what_waited_for_it(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), CLAIMED, NEEDED, DECIDED)
    story.then_rows("commitments", {"owner": SHOP, "state": "open", "due_at": "2026-03-05T09:00:00Z"}, kind="forward")


def test_as_of_a_day_before_the_decider_asked_for_it(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), CLAIMED, NEEDED)
    for moment, reasons in (
        ("2026-03-03T09:00:00Z", {"forward": ["cover"]}),
        ("2026-03-04T09:00:00Z", {"cover": ["item"]}),
    ):
        rows = story.ask("commitments", as_of=moment)["commitments"]
        assert {row["kind"]: row["paused_for"] for row in rows if row["state"] == "paused"} == reasons


def test_what_else_is_owed_goes_on_meanwhile(given: Given) -> None:
    diagnosis = fact("diagnosis.made", BENCH, "2026-03-10 09:00", {"summary": "crown"})
    claimed = fact("cover.claimed", SHOP, "2026-03-10 10:00", {"cause": "a fault", "decider": "importer:noord"})
    story = given(*at_the_bench(diagnosis, claimed))
    story.then_rows("commitments", {"due_at": "2026-03-24T09:00:00Z", "state": "open"}, kind="repair")


def test_waiting_for_anybody_else_pauses_nothing(given: Given) -> None:
    pause = fact("work.paused", BENCH, "2026-03-11 09:00", {"waiting_for": "importer"})
    story = given(*at_the_bench(fact("diagnosis.made", BENCH, "2026-03-10 09:00", {"summary": "crown"}), pause))
    story.then_rows("commitments", {"state": "open", "due_at": "2026-03-24T09:00:00Z"}, kind="repair")
    story.then_rows("commitments", kind="answer")


def test_a_question_to_her_is_hers_to_answer_and_one_to_the_importer_is_the_importers(given: Given) -> None:
    story = given(
        HERS,
        fact("question.asked", SHOP, "2026-03-09 09:00", {"question": "q1", "text": "Receipt?", "to": "customer"}),
        fact("question.asked", SHOP, "2026-03-09 09:05", {"question": "q2", "text": "Cost?", "to": IMPORTER}),
        fact("question.answered", IMPORTER, "2026-03-11 09:00", {"question": "q2", "text": "Forty."}),
    )
    story.then_rows(
        "commitments",
        {"owner": "customer:C-1", "topic": "q1", "state": "open"},
        {"owner": IMPORTER, "owed_to": SHOP, "topic": "q2", "state": "met", "met_late": False},
        kind="answer",
    )


# -- promises ----------------------------------------------------------------------------------------------------------


def promise(time: str, by: str, *, source: str = BENCH, moved: bool = False, **more: Any) -> Event:
    data = {"promise": "p1", "by_when": by, **({"reason": "the part is late"} if moved else {"what": "it is done"})}
    return fact("promise.moved" if moved else "promise.made", source, time, {**data, **more})


DIAGNOSED = fact("diagnosis.made", BENCH, "2026-03-10 09:00", {"summary": "crown"})


def test_a_promise_overrides_the_rule_and_a_later_one_the_first(given: Given) -> None:
    story = given(
        *at_the_bench(
            DIAGNOSED,
            promise("2026-03-11 09:00", "2026-03-16T16:00:00Z"),
            promise("2026-03-13 09:00", "2026-03-18T16:00:00Z", moved=True),
            fact("repair.completed", BENCH, "2026-03-18 16:30"),
        )
    )
    story.then_rows(
        "commitments",
        {
            "due_at": "2026-03-18T16:00:00Z",
            "first_promised_at": "2026-03-16T16:00:00Z",
            "promised_at": "2026-03-18T16:00:00Z",
            "promises": 2,
            "promised_by": BENCH,
            "met_late": True,
        },
        kind="repair",
    )
    # It is told with the repair, and not once more as a promise of its own.
    story.then_rows("commitments", kind="promise")
    (row,) = story.at("2026-03-20 09:00").ask("promises", party=BENCH)["promises"]
    assert (row["kept"], row["late_seconds"], row["state"]) == (False, 1_800, "met_late")


def test_a_promise_of_another_step_or_by_another_party_moves_nothing(given: Given) -> None:
    story = given(
        *at_the_bench(
            DIAGNOSED,
            promise("2026-03-11 09:00", "2026-03-12T16:00:00Z", kind="forward"),
            promise("2026-03-11 10:00", "2026-03-13T16:00:00Z", source=SHOP),
        )
    )
    story.then_rows("commitments", {"due_at": "2026-03-24T09:00:00Z", "promises": 0}, kind="repair")
    story.then_rows(
        "commitments",
        {"owner": BENCH, "due_at": "2026-03-12T16:00:00Z", "state": "open", "owed_to": "customer:C-1"},
        {"owner": SHOP, "due_at": "2026-03-13T16:00:00Z", "state": "open"},
        kind="promise",
    )


def test_what_was_noted_before_a_new_date_was_about_the_old_one(given: Given) -> None:
    name = f"repair/W-1/{BENCH}/{DIAGNOSED.id}"
    story = given(
        *at_the_bench(
            DIAGNOSED,
            promise("2026-03-11 09:00", "2026-03-12T16:00:00Z"),
            overdue(name, "repair", 1, "2026-03-12 16:01", "2026-03-12T16:00:00Z"),
            promise("2026-03-13 09:00", "2026-03-16T16:00:00Z", moved=True),
        )
    )
    story.then_rows("commitments", {"level": 0, "due_at": "2026-03-16T16:00:00Z"}, kind="repair")
    (row,) = [row for row in story.at("2026-03-16 16:01").ask("sweep")["sweep"] if row["kind"] == "repair"]
    assert (row["say"], row["reached"], row["promises"]) == ("overdue", 1, 2)


def test_a_visit_is_kept_within_its_window(given: Given) -> None:
    def scheduled(time: str, day: int) -> Event:
        window = {"from": f"2026-03-{day}T08:00:00Z", "until": f"2026-03-{day}T10:00:00Z"}
        return fact("visit.scheduled", SHOP, time, {"visit": "v1", **window})

    kept = given(HERS, scheduled("2026-03-06 10:00", 10), fact("visit.done", SHOP, "2026-03-10 09:30", {"visit": "v1"}))
    kept.then_rows("commitments", {"state": "met", "met_late": False, "owed_to": "customer:C-1"}, kind="visit")
    moved = given(HERS, scheduled("2026-03-06 10:00", 10), scheduled("2026-03-09 10:00", 12))
    moved.then_rows(
        "commitments",
        {
            "state": "open",
            "due_at": "2026-03-12T10:00:00Z",
            "first_promised_at": "2026-03-10T10:00:00Z",
            "promises": 2,
        },
        kind="visit",
    )


def test_what_stays_at_her_home_waits_for_a_visit_and_is_not_sent_on(given: Given) -> None:
    window = {"visit": "v1", "from": "2026-03-20T08:00:00Z", "until": "2026-03-20T10:00:00Z"}
    scheduled = fact("visit.scheduled", SHOP, "2026-03-06 10:00", window)
    done = fact("visit.done", BENCH, "2026-03-20 09:30", {"visit": "v1"})
    assert lanes(given(HERS, scheduled), *WORK, "visit") == [("forward", SHOP, "met"), ("visit", SHOP, "open")]
    assert lanes(given(HERS, scheduled, done), *WORK)[1:] == [("repair", BENCH, "open")]
    mended = fact("repair.completed", BENCH, "2026-03-20 09:40")
    assert lanes(given(HERS, scheduled, done, mended), *WORK)[1:] == [("repair", BENCH, "met")]
    # The visit is no word about what was sent away.
    sent = given(HERS, handed(SHOP, BENCH, "2026-03-06 09:00"), received(BENCH, "2026-03-06 09:30"), scheduled)
    assert lanes(sent, *WORK)[-1] == ("diagnose", BENCH, "open")


# -- the customer ------------------------------------------------------------------------------------------------------


def test_a_customer_is_owed_news_from_telling_to_telling(given: Given) -> None:
    call = fact("customer.contacted", SHOP, "2026-03-12 10:00", {"channel": "phone", "direction": "outbound"})
    asked = fact("customer.contacted", SHOP, "2026-03-11 10:00", {"channel": "phone", "direction": "inbound"})
    story = given(
        opened("2026-03-06 09:00"),
        sent("2026-03-06 09:01", "2026-03-10 16:00"),
        asked,
        call,
        fact("order.closed", SHOP, "2026-03-19 12:00", {"outcome": "repaired"}),
        sent("2026-03-19 12:05", kind="repaired"),
    )
    news = {"owner": SHOP, "owed_to": "customer:C-1"}
    story.then_rows(
        "commitments",
        {**news, "opened_at": "2026-03-06T09:00:00Z", "due_at": "2026-03-13T09:00:00Z", "met_late": False},
        # Promised for four in the afternoon, so due an hour before; the call came two days later.
        {**news, "opened_at": "2026-03-06T09:01:00Z", "due_at": "2026-03-10T15:00:00Z", "met_late": True},
        {**news, "opened_at": "2026-03-12T10:00:00Z", "due_at": "2026-03-19T10:00:00Z", "state": "cancelled"},
        kind="update",
    )
    story.then_order(
        contacts_started=1, messages_sent=2, last_told_at="2026-03-19T12:05:00Z", last_told_kind="repaired"
    )
    contacts = story.rows("contacts")
    assert [(row["direction"], row["channel"], row["party"]) for row in contacts] == [
        ("inbound", "phone", SHOP),
        ("outbound", "phone", SHOP),
    ]


def test_after_our_last_word_no_news_is_owed_until_she_is_told_of_more(given: Given) -> None:
    """The shop may close the order weeks later: until then nothing is late, and no date stands that has passed."""
    back = (
        HERS,
        sent("2026-03-06 09:01", "2026-03-13 16:00", kind="opened"),
        fact("repair.completed", SHOP, "2026-03-06 12:00"),
        fact("item.returned", SHOP, "2026-03-06 14:00"),
        sent("2026-03-09 14:00", kind="check"),
    )
    called = fact("customer.contacted", SHOP, "2026-03-10 10:00", {"channel": "phone", "direction": "outbound"})
    for story in (given(*back), given(*back, called)):
        story.then_rows("commitments", {"state": "met"}, {"state": "met"}, kind="update")
        story.then_order(next_news_by=None)
    story = given(*back).at("2026-04-09 14:00")
    assert story.ask("stalled")["stalled"] == []
    assert story.ask("ball")["ball"] == []
    status = story.ask("status", order="W-1")
    assert (status["next_step"], status["next_owner"], status["ball"]) == ("close the order", SHOP, None)
    (line,) = story.ask("briefing", party=SHOP)["orders"]
    assert (line["kind"], line["to_close"]) == (None, True)

    again = given(*back, sent("2026-03-12 10:00", "2026-03-19 16:00", kind="received"))
    again.then_order(next_news_by="2026-03-19T16:00:00Z")
    again.then_rows("commitments", *({"state": state} for state in ("met", "met", "open")), kind="update")


def test_nobody_is_owed_news_without_a_customer_and_everybody_again_after_reopening(given: Given) -> None:
    given(OPENED, sent("2026-03-06 09:01")).then_rows("commitments", kind="update")
    given(
        opened("2026-03-06 09:00"),
        fact("order.closed", SHOP, "2026-03-09 12:00", {"outcome": "repaired"}),
        fact("order.reopened", SHOP, "2026-03-20 12:00"),
    ).then_rows(
        "commitments",
        {"opened_at": "2026-03-06T09:00:00Z", "state": "cancelled", "ended_at": "2026-03-09T12:00:00Z"},
        {"opened_at": "2026-03-20T12:00:00Z", "state": "open", "due_at": "2026-03-27T12:00:00Z"},
        kind="update",
    )


AWAY = (HERS, handed(SHOP, BENCH, "2026-03-06 12:00"))


def given_up(time: str, outcome: str = "cancelled") -> Event:
    return fact("order.closed", SHOP, time, {"outcome": outcome}, id=f"closed {time}")


@pytest.mark.parametrize("outcome", ["cancelled", "declined", "unrepairable"])
@pytest.mark.parametrize("there", [False, True])
def test_what_is_given_up_while_it_is_away_is_to_come_home(given: Given, outcome: str, there: bool) -> None:
    came = received(BENCH, "2026-03-09 09:00")
    closed = given_up("2026-03-09 12:00", outcome)
    late = given(*AWAY, *((came,) if there else ()), closed, *(() if there else (received(BENCH, "2026-03-10 09:00"),)))
    owes = {"owner": BENCH, "owed_to": SHOP, "opened_at": "2026-03-09T12:00:00Z", "state": "open", "topic": ""}
    late.then_rows("commitments", {"state": "met"}, owes, kind="forward")
    (stalled,) = late.at("2026-03-30 12:00").ask("stalled")["stalled"]
    assert (stalled["kind"], stalled["owner"]) == ("forward", BENCH)

    home = (*AWAY, came, closed, handed(BENCH, SHOP, "2026-03-10 12:00"), received(SHOP, "2026-03-11 12:00"))
    story = given(*home)
    story.then_rows("commitments", {"state": "met"}, {"owner": BENCH, "state": "met"}, kind="forward")
    story.then_rows("commitments", {"owner": SHOP, "owed_to": "customer:C-1", "state": "open"}, kind="return")
    for end, state in (
        (fact("item.returned", SHOP, "2026-03-12 12:00"), "met"),
        (given_up("2026-03-12 12:00", outcome), "cancelled"),
        (fact("order.reopened", SHOP, "2026-03-12 12:00"), "cancelled"),
    ):
        given(*home, end).then_rows("commitments", {"state": state, "ended_at": "2026-03-12T12:00:00Z"}, kind="return")


def test_what_comes_home_by_way_of_another_is_owed_by_each_of_them_in_turn(given: Given) -> None:
    given(
        *AWAY,
        given_up("2026-03-09 12:00"),
        received(BENCH, "2026-03-10 09:00"),
        handed(BENCH, IMPORTER, "2026-03-10 12:00"),
        received(IMPORTER, "2026-03-11 12:00"),
    ).then_rows(
        "commitments",
        {"owner": SHOP, "state": "met"},
        {"owner": BENCH, "state": "met"},
        {"owner": IMPORTER, "state": "open", "opened_at": "2026-03-11T12:00:00Z"},
        kind="forward",
    )


def test_nothing_is_to_come_home_that_was_never_away_or_is_not_hers_any_more(given: Given) -> None:
    def open_after(*facts: Event) -> list[str]:
        return [row["kind"] for row in given(*facts).rows("commitments") if row["state"] == "open"]

    back = (received(BENCH, "2026-03-09 09:00"), handed(BENCH, SHOP, "2026-03-10 09:00"))
    assert open_after(HERS, given_up("2026-03-09 12:00")) == []
    # On its way to the shop, which sees to the rest.
    coming = (*AWAY, *back, given_up("2026-03-10 12:00"))
    assert open_after(*coming) == open_after(*coming, received(SHOP, "2026-03-11 12:00")) == ["return"]
    assert open_after(*AWAY, fact("item.returned", BENCH, "2026-03-09 09:00"), given_up("2026-03-09 12:00")) == []
    at_home = opened("2026-03-06 09:00", at_home=True, source=BENCH, accountable=SHOP)
    assert open_after(at_home, given_up("2026-03-09 12:00")) == []
    for outcome in ("repaired", "replaced", "refunded"):
        assert open_after(*AWAY, given_up("2026-03-09 12:00", outcome)) == []
        # A later close says how it ended after all.
        assert open_after(*AWAY, given_up("2026-03-09 12:00"), given_up("2026-03-09 13:00", outcome)) == []


def test_what_is_taken_up_again_is_at_work_and_on_no_way_home(given: Given) -> None:
    again = (*AWAY, given_up("2026-03-09 12:00"), fact("order.reopened", SHOP, "2026-03-10 12:00"))
    story = given(*again, received(BENCH, "2026-03-11 12:00"))
    assert [row["kind"] for row in story.rows("commitments") if row["state"] == "open"] == ["update", "diagnose"]


def test_whoever_replaces_what_it_never_had_owes_the_other_unit(given: Given) -> None:
    swapped = fact("unit.replaced", IMPORTER, "2026-03-06 12:00", {"old_serial": "S-1", "new_serial": "S-2"})
    owes = {"owner": IMPORTER, "state": "open", "opened_at": "2026-03-06T12:00:00Z"}
    # The shop has the old one still; or somebody else has it, and may keep it.
    given(HERS, swapped).then_rows("commitments", {"state": "cancelled"}, owes, kind="forward")
    story = given(opened(), handed(SHOP, BENCH, "2026-03-03 09:00"), received(BENCH, "2026-03-04 09:00"), swapped)
    story.then_rows("commitments", {"state": "met"}, owes, kind="forward")
    # The other one goes to the shop, and from there to her.
    sent = fact("item.handed_over", IMPORTER, "2026-03-09 12:00", {"to": SHOP, "item": "S-2"})
    came = fact("item.received", SHOP, "2026-03-10 12:00", {"item": "S-2"})
    there = given(HERS, swapped, sent, came)
    there.then_rows("commitments", {"state": "cancelled"}, {"owner": IMPORTER, "state": "met"}, kind="forward")
    there.then_rows("commitments", {"owner": SHOP, "state": "open"}, kind="return")


@pytest.mark.parametrize("visited", [True, False])
def test_what_was_replaced_in_her_house_nobody_sends_on(given: Given, visited: bool) -> None:
    window = {"visit": "V-1", "from": "2026-03-06T08:00:00Z", "until": "2026-03-06T12:00:00Z"}
    visit = (fact("visit.scheduled", BENCH, "2026-03-06 10:00", window),) if visited else ()
    swapped = fact("unit.replaced", BENCH, "2026-03-06 12:00")
    story = given(opened("2026-03-06 09:00", at_home=not visited), *visit, swapped)
    story.then_rows("commitments", {"owner": SHOP, "state": "cancelled"}, kind="forward")


def test_one_working_day_after_a_repair_somebody_asks_whether_it_holds(given: Given) -> None:
    back = (
        HERS,
        fact("repair.completed", SHOP, "2026-03-06 12:00"),
        fact("item.returned", SHOP, "2026-03-06 14:00"),
    )
    given(*back).then_rows(
        "commitments",
        {"owner": SHOP, "owed_to": "customer:C-1", "due_at": "2026-03-09T14:00:00Z", "state": "open"},
        kind="check",
    )
    closed = fact("order.closed", SHOP, "2026-03-06 15:00", {"outcome": "repaired"})
    answer = fact("feedback.given", SHOP, "2026-03-09 10:00", {"holds": True})
    given(*back, closed, answer).then_rows("commitments", {"state": "met", "met_late": False}, kind="check")


@pytest.mark.parametrize("done", ["repair.completed", "unit.replaced"])
def test_what_was_mended_at_her_home_is_asked_about_once_however_late_the_close_comes(given: Given, done: str) -> None:
    mended = (
        opened("2026-03-06 09:00", at_home=True),
        fact(done, SHOP, "2026-03-06 12:00"),
        sent("2026-03-06 12:06", "2026-03-13 16:00", kind="repaired"),
    )
    is_all_well = sent("2026-03-13 12:00", kind="update")
    closed = fact("order.closed", SHOP, "2026-03-23 11:00", {"outcome": "repaired"})
    given(*mended, closed).then_rows("commitments", {"state": "open"}, kind="check")
    given(*mended, is_all_well, closed).then_rows("commitments", kind="check")
    # It did not hold, and she was told that it goes on: then it is asked about anew.
    again = sent("2026-03-16 12:00", "2026-03-23 16:00", kind="visit")
    given(*mended, is_all_well, again, closed).then_rows("commitments", {"state": "open"}, kind="check")


@pytest.mark.parametrize("outcome", ["declined", "unrepairable", "refunded", "cancelled"])
def test_of_what_the_close_says_was_not_mended_nobody_asks_whether_it_holds(given: Given, outcome: str) -> None:
    given(
        HERS,
        fact("repair.completed", SHOP, "2026-03-06 12:00"),
        fact("item.returned", SHOP, "2026-03-06 14:00"),
        fact("order.closed", SHOP, "2026-03-06 15:00", {"outcome": outcome}),
    ).then_rows("commitments", {"state": "cancelled", "ended_at": "2026-03-06T15:00:00Z"}, kind="check")


def test_of_what_came_back_unrepaired_nobody_asks_whether_it_holds(given: Given) -> None:
    failed = fact("repair.failed", SHOP, "2026-03-06 12:00", {"why": "x"})
    declined = fact("quote.declined", "customer:C-1", "2026-03-06 12:00", {"quote": "Q-1"})
    back = fact("item.returned", SHOP, "2026-03-06 14:00")
    asked = {"owner": SHOP, "state": "open", "due_at": "2026-03-09T14:00:00Z"}
    given(HERS, failed, back).then_rows("commitments", kind="check")
    given(HERS, declined, back).then_rows("commitments", kind="check")
    # Of several things another may be mended, but not before the order was reopened.
    mended = fact("repair.completed", SHOP, "2026-03-06 11:00")
    given(HERS, mended, failed, back).then_rows("commitments", asked, kind="check")
    again = fact("order.reopened", SHOP, "2026-03-06 11:30")
    given(HERS, mended, again, failed, back).then_rows("commitments", kind="check")


@pytest.mark.parametrize("outcome", ["repaired", "replaced"])
def test_of_what_was_mended_or_replaced_in_her_house_somebody_asks_once(given: Given, outcome: str) -> None:
    at_home = (HERS, fact("unit.replaced", SHOP, "2026-03-06 12:00"))
    closed = fact("order.closed", SHOP, "2026-03-06 15:00", {"outcome": outcome})
    asked = {"owner": SHOP, "state": "open", "due_at": "2026-03-09T15:00:00Z"}
    given(*at_home, closed).then_rows("commitments", asked, kind="check")
    # Said to be back with her as well, it is asked a working day after that.
    back = fact("item.returned", SHOP, "2026-03-06 14:00")
    given(*at_home, back, closed).then_rows("commitments", {"due_at": "2026-03-09T14:00:00Z"}, kind="check")


def unreached(name: str, time: str, message: str = "m1") -> Event:
    data = {"message": message, "kind": "ready", "reason": "smtp_550"} | (
        {"channel": "email"} if name == "message.unknown" else {}
    )
    return fact(name, "chain:notifier", time, data)


@pytest.mark.parametrize("name", ["message.failed", "message.unknown"])
def test_where_no_message_reached_her_somebody_has_to(given: Given, name: str) -> None:
    silent = (HERS, unreached(name, "2026-03-06 15:00"))
    # Four working hours from Friday 16:00 in Amsterdam.
    given(*silent).then_rows(
        "commitments", {"owner": SHOP, "state": "open", "due_at": "2026-03-09T11:00:00Z"}, kind="call"
    )
    called = fact("customer.contacted", SHOP, "2026-03-09 08:30", {"channel": "phone", "direction": "outbound"})
    given(*silent, called).then_rows("commitments", {"state": "met"}, kind="call")
    # Whatever gets through tells her how it stands.
    given(*silent, sent("2026-03-09 08:00")).then_rows("commitments", {"state": "met"}, kind="call")


def test_that_she_has_to_be_reached_outlives_the_order(given: Given) -> None:
    closed = fact("order.closed", SHOP, "2026-03-06 15:00", {"outcome": "repaired"})
    given(HERS, closed, unreached("message.failed", "2026-03-06 15:01")).then_rows(
        "commitments", {"state": "open"}, kind="call"
    )


# -- policy ------------------------------------------------------------------------------------------------------------


def test_an_urgent_order_runs_around_the_clock(given: Given) -> None:
    # A Friday evening; closures do not count, either.
    urgent = opened("2026-03-06 17:00", urgency="urgent", product={"model": "Boiler", "category": "boiler"})
    away = closed_party(BENCH, "2026-03-06 23:00", "2026-03-22 23:00")
    given(away, urgent, handed(SHOP, BENCH, "2026-03-06 17:30")).then_rows(
        "commitments", {"due_at": "2026-03-07T01:30:00Z"}, kind="receive"
    )


def test_news_of_an_urgent_order_is_due_before_the_date_that_she_was_named_even_if_the_rule_has_it_sooner(
    given: Given,
) -> None:
    def due(urgency: str, named: str) -> str:
        taken_in = opened("2026-03-06 17:00", urgency=urgency, product={"model": "Boiler", "category": "boiler"})
        rows = given(taken_in, sent("2026-03-06 17:05", named)).rows("commitments")
        (due,) = [row["due_at"] for row in rows if row["kind"] == "update" and row["state"] == "open"]
        return str(due)

    # It lies ready from Friday evening on; the letter names Monday, for nobody is there over the weekend.
    assert due("urgent", "2026-03-09 17:00") == due("routine", "2026-03-09 17:00") == "2026-03-09T16:00:00Z"
    # But a routine order is not put off by a date that lies behind the rule's.
    assert due("routine", "2026-04-09 17:00") < "2026-03-20"


def test_a_policy_holds_from_its_adoption_and_history_keeps_what_was_true(given: Given) -> None:
    tighter = adopted('[allow]\nreceive = "4 working hours"', "2026-03-12 09:00")
    settled = (OPENED, LEFT, received(IMPORTER, "2026-03-10 15:31"))
    running = handed(IMPORTER, BENCH, "2026-03-11 10:00", order="W-1")
    facts = (*settled, running, tighter)
    story = given(*facts)
    story.then_rows(
        "commitments",
        {"due_at": "2026-03-10T15:30:00Z", "met_late": True},
        {"due_at": "2026-03-11T14:00:00Z", "state": "open"},
        kind="receive",
    )
    live = given(*settled, running)
    live.then_rows("commitments", {"met_late": True}, {"due_at": "2026-03-13T10:00:00Z"}, kind="receive")
    live.database.apply(messages_of([tighter], first=5))
    live.then_rows(
        "commitments", {"due_at": "2026-03-10T15:30:00Z"}, {"due_at": "2026-03-11T14:00:00Z"}, kind="receive"
    )
    assert story.ask("policy")["digest"] == tighter.data["digest"]


def test_overrides_by_lane_and_calendars_of_a_party(given: Given) -> None:
    policy = adopted(
        """
        [[override]]
        kind = "receive"
        party = "importer:north"
        from = "retailer:shop"
        allow = "1 working day"
        [calendars.north]
        parties = ["importer:north"]
        time_zone = "America/New_York"
        friday = "closed"
        """,
        "2026-03-01 09:00",
    )
    story = given(policy, OPENED, LEFT, handed(SHOP, BENCH, "2026-03-06 15:30", order="W-2"))
    # Closed on Friday; Monday from 9 to 17 in New York, which is four hours behind since Sunday.
    story.then_rows("commitments", {"due_at": "2026-03-09T21:00:00Z"}, kind="receive")
    story.then_rows("commitments", {"due_at": "2026-03-10T15:30:00Z"}, kind="receive", order="W-2")


# -- what is to be said ------------------------------------------------------------------------------------------------


def test_it_is_nudged_then_noted_and_withdrawn_when_a_late_fact_disproves_it(given: Given) -> None:
    def said(story: Story, now: str) -> list[tuple[Any, ...]]:
        rows = story.at(now).ask("sweep")["sweep"]
        return [(row["say"], row["reached"], row["tell"]) for row in rows if row["kind"] == "receive"]

    story, due = given(OPENED, LEFT), "2026-03-10T15:30:00Z"
    name = f"receive/W-1/{SHOP}/{LEFT.id}"
    # Four fifths of sixteen hours: twelve hours and 48 minutes of opening time after Friday 16:30.
    assert said(story, "2026-03-10 12:17") == []
    assert said(story, "2026-03-10 12:19") == [("nudge", 0, ["owner"])]
    nudged = fact(
        "commitment.nudged",
        WATCHDOG,
        "2026-03-10 12:19",
        {"commitment": name, "kind": "receive", "owed_by": IMPORTER, "due": due},
    )
    story.database.apply(messages_of([nudged], first=3))
    assert said(story, "2026-03-10 15:29") == []
    assert said(story, "2026-03-10 15:31") == [("overdue", 1, ["accountable", "customer", "owner"])]
    story.database.apply(messages_of([overdue(name, "receive", 1, "2026-03-10 15:31", due)], first=4))
    assert said(story, "2026-03-12 15:29") == []
    assert said(story, "2026-03-12 15:31") == [("overdue", 2, ["person"])]
    in_time = fact("item.received", IMPORTER, "2026-03-10 09:00", recorded="2026-03-11 09:00")
    story.database.apply(messages_of([in_time], first=5))
    assert said(story, "2026-03-12 15:31") == [("withdraw", 1, ["accountable", "owner"])]
    withdrawn = {
        "commitment": name,
        "kind": "receive",
        "owed_by": IMPORTER,
        "level": 1,
        "ended_at": "2026-03-10T09:00:00Z",
    }
    story.database.apply(messages_of([fact("commitment.withdrawn", WATCHDOG, "2026-03-11 09:01", withdrawn)], first=6))
    assert said(story, "2026-03-12 15:31") == []
    story.then_rows("commitments", {"state": "met", "met_late": False, "level": 1}, kind="receive")


def test_whose_move_it_is_and_who_had_it_for_how_long(given: Given) -> None:
    story = given(
        HERS,
        handed(SHOP, IMPORTER, "2026-03-06 15:30"),
        received(IMPORTER, "2026-03-09 09:00"),
        handed(IMPORTER, SHOP, "2026-03-09 12:00"),
        received(SHOP, "2026-03-10 09:00"),
        handed(SHOP, IMPORTER, "2026-03-10 12:00"),
        received(IMPORTER, "2026-03-11 09:00"),
    ).at("2026-03-11 10:00")
    (ball,) = story.ask("ball")["ball"]
    assert (ball["kind"], ball["owner"], ball["due_at"]) == ("forward", IMPORTER, "2026-03-13T09:00:00Z")
    assert ball["bounces"] == 2
    assert [row["kind"] for row in story.ask("ball", party=IMPORTER)["ball"]] == ["forward"]
    spent = {row["party"]: (row["seconds"], row["working_seconds"]) for row in story.order()["time_spent"]}
    # From a handover on it is the receiver's time; nights and the weekend are not working time.
    hour = 3_600
    assert spent[IMPORTER] == (int((68.5 + 22) * hour), int((0.5 + 4 + 4 + 2) * hour))
    assert set(spent) == {SHOP, IMPORTER}


def test_of_one_order_alone_it_is_the_same_as_of_all(given: Given) -> None:
    story = given(
        HERS,
        handed(SHOP, BENCH, "2026-03-06 15:30"),
        received(BENCH, "2026-03-09 09:00"),
        fact("question.asked", BENCH, "2026-03-09 10:00", {"question": "q1", "text": "how?", "to": "customer"}),
        fact("question.answered", SHOP, "2026-03-10 10:00", {"question": "q1", "text": "so"}),
        fact("work.paused", BENCH, "2026-03-10 12:00", {"waiting_for": "customer"}),
        fact("work.resumed", BENCH, "2026-03-11 09:00"),
        handed(BENCH, SHOP, "2026-03-11 12:00"),
        received(SHOP, "2026-03-12 09:00"),
        fact("item.returned", SHOP, "2026-03-12 10:00"),
        fact("order.closed", SHOP, "2026-03-12 11:00", {"outcome": "repaired"}),
        fact("order.reopened", SHOP, "2026-03-13 11:00", {"reason": "again"}),
    ).at("2026-03-16 10:00")
    found = story.ask("time_spent")["time_spent"]
    assert story.order()["time_spent"] == found
    assert {row["party"] for row in found} == {SHOP, BENCH, "customer"}


def test_nobody_is_waited_for_once_she_has_it_back_however_long_it_stays_open(given: Given) -> None:
    """She was said to have been waited for since, for weeks, while the close was the shop's."""
    story = given(
        HERS,
        fact("repair.completed", SHOP, "2026-03-06 12:00"),
        fact("item.returned", SHOP, "2026-03-06 14:00"),
    ).at("2026-04-16 10:00")
    assert [(row["party"], row["seconds"]) for row in story.order()["time_spent"]] == [(SHOP, 5 * 3_600)]
    assert story.ask("time_spent")["time_spent"] == story.order()["time_spent"]


def test_whose_move_it_is_is_the_same_among_all(given: Given) -> None:
    story = given(HERS, handed(SHOP, BENCH, "2026-03-06 15:30"), received(BENCH, "2026-03-09 09:00"))
    for moment in ("2026-03-09 10:00", "2026-03-30 10:00"):
        then = story.at(moment)
        (ball,) = then.ask("ball")["ball"]
        assert then.order()["ball"] == ball


def test_little_history_says_nothing_and_much_of_it_how_likely_it_is_to_be_late(given: Given) -> None:
    def orders(count: int) -> list[Event]:
        # Every third receipt takes two days, the others two hours: on Mondays at ten.
        facts = []
        for number in range(count):
            order = f"O-{number}"
            came = "2026-03-04 10:30" if number % 3 == 0 else "2026-03-02 12:00"
            facts += [
                opened("2026-03-02 08:30", order=order, customer=None),
                handed(SHOP, IMPORTER, "2026-03-02 10:00", order=order),
                received(IMPORTER, came, order=order),
            ]
        return facts

    def chance(count: int, now: str) -> tuple[Any, ...]:
        story = given(*orders(count), OPENED, LEFT).at(now)
        rows = story.ask("commitments", order="W-1", kind="receive")["commitments"]
        return rows[0]["chance"], rows[0]["cases"], rows[0]["based_on"]

    assert chance(29, "2026-03-06 15:45") == (None, None, None)
    share, cases, based_on = chance(30, "2026-03-06 15:45")
    assert (cases, based_on) == (30, "lane")
    assert share == pytest.approx(2 / 3, abs=0.02)
    # Three hours later only the slow ones are left, and none of those was in time.
    assert chance(30, "2026-03-09 11:00")[0] == 0


def test_each_level_is_said_of_the_date_that_holds_and_a_date_that_comes_back_was_said_already(given: Given) -> None:
    name, first, second = f"repair/W-1/{BENCH}/{DIAGNOSED.id}", "2026-03-12T16:00:00Z", "2026-03-16T16:00:00Z"
    moved = promise("2026-03-14 20:00", second, moved=True)
    facts = at_the_bench(
        DIAGNOSED,
        promise("2026-03-11 09:00", first),
        overdue(name, "repair", 1, "2026-03-12 16:01", first),
        overdue(name, "repair", 2, "2026-03-14 17:01", first),
        moved,
        overdue(name, "repair", 1, "2026-03-16 16:01", second),
    )
    story = given(*facts)
    story.then_rows("commitments", {"level": 1, "due_at": second}, kind="repair")
    # The second level of the new date is still to be said, though that of the old one was.
    (row,) = [row for row in story.at("2026-03-18 16:01").ask("sweep")["sweep"] if row["kind"] == "repair"]
    assert (row["say"], row["reached"]) == ("overdue", 2)
    given(*facts, corrected(moved, "2026-03-17 09:00")).then_rows(
        "commitments", {"level": 2, "due_at": first}, kind="repair"
    )


def test_a_promise_of_a_date_that_an_ended_step_had_is_a_promise_all_the_same(given: Given) -> None:
    window = {"visit": "v1", "from": "2026-03-10T08:00:00Z", "until": "2026-03-20T16:00:00Z"}
    story = given(
        HERS,
        fact("visit.scheduled", SHOP, "2026-03-06 10:00", window),
        fact("visit.done", SHOP, "2026-03-10 09:30", {"visit": "v1"}),
        handed(SHOP, BENCH, "2026-03-10 10:00"),
        promise("2026-03-10 11:00", "2026-03-20T16:00:00Z", source=SHOP),
    )
    story.then_rows("commitments", {"owner": SHOP, "due_at": "2026-03-20T16:00:00Z", "state": "open"}, kind="promise")


def test_a_wait_that_is_still_open_moves_nothing_that_has_ended(given: Given) -> None:
    asked = fact("question.asked", BENCH, "2026-03-10 10:00", {"question": "q1", "text": "Which?", "to": "customer"})
    story = given(*at_the_bench(DIAGNOSED, asked, fact("repair.completed", BENCH, "2026-03-11 10:00")))
    story.then_rows("commitments", {"state": "met", "met_late": False, "due_at": "2026-03-25T09:00:00Z"}, kind="repair")


def test_a_policy_that_cannot_be_read_or_is_said_of_something_else_changes_nothing(given: Given) -> None:
    tighter = adopted('[allow]\nreceive = "4 working hours"', "2026-03-01 09:00")
    empty = fact("policy.adopted", WATCHDOG, "2026-03-01 10:00", {"digest": "x"}, order=POLICY)
    huge = {"digest": "y", "policy": {"allow": {"receive": {"count": 10**18, "unit": "week"}}}}
    odd = fact("policy.adopted", WATCHDOG, "2026-03-01 11:00", huge, order=POLICY)
    elsewhere = fact("policy.adopted", WATCHDOG, "2026-03-01 12:00", dict(tighter.data), order="W-9")
    story = given(empty, odd, elsewhere, OPENED, LEFT)
    story.then_rows("commitments", {"due_at": "2026-03-10T15:30:00Z"}, kind="receive")
    assert story.ask("policy")["digest"] in (None, "y")
