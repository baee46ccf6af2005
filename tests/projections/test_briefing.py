"""The list of a party: what is on it, whose it is, and on which days it is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from events.envelope import Event
from events.party import POLICY
from projections.policy import Policy
from projections.queries import QueryError
from tests.projections.story import (
    BENCH,
    IMPORTER,
    NOTIFIER,
    SHOP,
    WATCHDOG,
    Given,
    Story,
    closed_party,
    corrected,
    fact,
    handed,
    opened,
    received,
)

# 2 March 2026 is a Monday; by the built-in policy all are open from 9 to 17 in Amsterdam, which is 8 to 16 UTC.

OTHER_SHOP = "retailer:bolt"


def given_list(party: str, day: str, at: str) -> Event:
    data = {"day": day, "open": 1, "overdue": 0, "asked": 0, "calls": 0}
    return fact("party.briefed", NOTIFIER, at, data, order=party, id=f"briefed:{party}:{day}")


def adopted(text: str) -> Event:
    read = Policy.parse(text)
    data = {"digest": read.digest, "policy": read.canonical()}
    return fact("policy.adopted", WATCHDOG, "2026-01-01 00:00", data, order=POLICY)


def due(story: Story, now: str) -> list[str]:
    return [row["party"] for row in story.at(now).ask("briefings")["briefings"] if row["due"]]


def of(story: Story, party: str = SHOP, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = story.ask("briefing", party=party, **more)
    return answer


# -- whose list is due ------------------------------------------------------------------------------------------------


def test_a_list_is_due_once_the_doors_have_opened_and_until_it_was_given(given: Given) -> None:
    facts = [opened("2026-03-02 09:00")]
    story = given(*facts)
    assert due(story, "2026-03-03 07:59") == []
    assert due(story, "2026-03-03 08:00") == []
    assert due(story, "2026-03-03 08:01") == [SHOP]
    assert due(story, "2026-03-03 22:00") == [SHOP]
    story = given(*facts, given_list(SHOP, "2026-03-03", "2026-03-03 08:01"))
    assert due(story, "2026-03-03 08:02") == []
    assert due(story, "2026-03-04 08:01") == [SHOP]


def test_the_next_list_follows_the_last_one_in_the_log(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), given_list(SHOP, "2026-03-03", "2026-03-03 08:01"))
    (row,) = story.at("2026-04-01 09:00").ask("briefings")["briefings"]
    assert (row["due"], row["last"], row["day"]) == (True, 2, "2026-04-01")
    (row,) = given(opened("2026-03-02 09:00")).at("2026-03-03 09:00").ask("briefings")["briefings"]
    assert (row["due"], row["last"]) == (True, 0)


def test_there_is_none_on_a_closed_day(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), closed_party(SHOP, "2026-03-05 00:00", "2026-03-09 09:30"))
    assert due(story, "2026-03-04 12:00") == [SHOP]
    for day in ("2026-03-05 12:00", "2026-03-06 12:00", "2026-03-07 12:00", "2026-03-09 09:00"):
        assert due(story, day) == []
    assert due(story, "2026-03-09 09:31") == [SHOP]  # that day it opens late


def test_there_is_none_on_a_holiday(given: Given) -> None:
    holidays = adopted('[calendar]\nholidays = "NL"')
    assert due(given(opened("2026-03-02 09:00"), holidays), "2026-04-06 12:00") == []  # Easter Monday
    assert due(given(opened("2026-03-02 09:00")), "2026-04-06 12:00") == [SHOP]


def test_a_day_is_the_party_s_own(given: Given) -> None:
    zones = adopted(f'[calendars.far]\nparties = ["{OTHER_SHOP}"]\ntime_zone = "Pacific/Auckland"')
    story = given(
        zones,
        opened("2026-03-02 09:00"),
        opened("2026-03-02 09:00", source=OTHER_SHOP, order="B-1"),
        given_list(OTHER_SHOP, "2026-03-03", "2026-03-02 20:01"),
    )
    # Nine o'clock on Wednesday in Auckland is twenty hours past on Tuesday in Greenwich.
    rows = {row["party"]: row for row in story.at("2026-03-03 20:01").ask("briefings")["briefings"]}
    assert (rows[OTHER_SHOP]["day"], rows[OTHER_SHOP]["due"]) == ("2026-03-04", True)
    assert (rows[SHOP]["day"], rows[SHOP]["due"]) == ("2026-03-03", True)
    assert due(story, "2026-03-03 19:59") == [SHOP]
    assert (
        due(story, "2026-03-03 05:00") == []
    )  # in Auckland Tuesday's was given; in Amsterdam it is six in the morning
    assert of(story.at("2026-03-03 20:01"), OTHER_SHOP)["time_zone"] == "Pacific/Auckland"


def test_who_answers_for_nothing_gets_a_list_when_it_is_late(given: Given) -> None:
    facts = [opened("2026-03-02 09:00"), handed(SHOP, IMPORTER, "2026-03-02 10:00")]
    story = given(*facts)
    assert due(story, "2026-03-04 09:00") == [SHOP]  # the importer has until ten
    assert due(story, "2026-03-04 10:01") == [IMPORTER, SHOP]
    assert due(given(*facts, received(IMPORTER, "2026-03-04 10:02")), "2026-03-04 10:03") == [SHOP]


def test_nobody_has_a_list_of_nothing(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), fact("order.closed", SHOP, "2026-03-02 10:00", {"outcome": "repaired"}))
    assert due(story, "2026-03-03 09:00") == []
    assert of(story.at("2026-03-03 09:00"))["totals"] == dict.fromkeys(
        ("overdue", "asked", "calls", "contacts", "open", "owed"), 0
    )


def test_a_list_that_was_given_is_no_order(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), given_list(SHOP, "2026-03-03", "2026-03-03 08:01"))
    assert [row["order_id"] for row in story.ask("orders")["orders"]] == ["W-1"]
    with pytest.raises(QueryError, match="is a party, not an order"):
        story.ask("timeline", order=SHOP)


# -- what is on it ----------------------------------------------------------------------------------------------------


def test_what_is_late_is_on_the_list_of_who_owes_it_and_of_who_answers_for_it(given: Given) -> None:
    story = given(
        opened("2026-03-02 09:00"),
        fact("order.referenced", SHOP, "2026-03-02 09:01", {"reference": "4711"}),
        fact("order.referenced", IMPORTER, "2026-03-02 09:02", {"reference": "N-9"}),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        opened("2026-03-02 09:00", order="W-2"),
    ).at("2026-03-05 12:00")
    shop, importer = of(story), of(story, IMPORTER)
    assert [(row["order"], row["kind"], row["owner"]) for row in shop["overdue"]] == [
        ("W-2", "forward", SHOP),
        ("W-1", "receive", IMPORTER),
    ]
    assert shop["overdue"][1] == {
        "order": "W-1",
        "reference": "4711",
        "product": "Tide Diver",
        "at_home": False,
        "kind": "receive",
        "topic": None,
        "owner": IMPORTER,
        "to_customer": False,
        "accountable": SHOP,
        "opened_at": "2026-03-02T10:00:00Z",
        "due_at": "2026-03-04T10:00:00Z",
        "state": "overdue",
        "overdue_seconds": 26 * 3600,
        "level": 0,
    }
    assert [(row["order"], row["reference"], row["kind"]) for row in importer["overdue"]] == [("W-1", "N-9", "receive")]
    assert importer["totals"] == {"overdue": 1, "asked": 0, "calls": 0, "contacts": 0, "open": 0, "owed": 0}


def test_a_line_says_that_the_product_stays_at_her_home(given: Given) -> None:
    boiler = opened("2026-03-02 09:00", at_home=True, product={"model": "Boiler"})
    watch = opened("2026-03-02 09:30", order="W-2")
    listed = of(given(boiler, watch).at("2026-03-02 12:00"))["orders"]
    assert [(row["order"], row["at_home"]) for row in listed] == [("W-1", True), ("W-2", False)]


def test_every_open_order_has_its_ball(given: Given) -> None:
    story = given(
        opened("2026-03-02 09:00"),
        handed(SHOP, IMPORTER, "2026-03-02 10:00"),
        opened("2026-03-03 09:00", order="W-2"),
        opened("2026-03-03 09:00", order="B-1", source=OTHER_SHOP),
        opened("2026-03-02 09:00", order="W-3"),
        fact("order.closed", SHOP, "2026-03-02 10:00", {"outcome": "cancelled"}, order="W-3"),
    ).at("2026-03-03 12:00")
    shop = of(story)
    assert [(row["order"], row["kind"], row["owner"], row["state"], row["status"]) for row in shop["orders"]] == [
        ("W-1", "receive", IMPORTER, "open", "in_transit"),
        ("W-2", "forward", SHOP, "open", "taken_in"),
    ]
    assert shop["totals"]["open"] == 2
    # As the question `ball` has it.
    balls = {row["order"]: row["kind"] for row in story.ask("ball")["ball"] if row["accountable"] == SHOP}
    assert balls == {row["order"]: row["kind"] for row in shop["orders"]}


def test_what_a_party_owes_on_the_orders_of_others_is_apart_from_what_is_late(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), handed(SHOP, IMPORTER, "2026-03-02 10:00")).at("2026-03-03 09:00")
    importer = of(story, IMPORTER)
    assert [(row["order"], row["kind"], row["accountable"]) for row in importer["owed"]] == [("W-1", "receive", SHOP)]
    assert importer["overdue"] == []
    assert of(story)["owed"] == []


def question(who: str, at: str, to: str | None, text: str, **more: Any) -> Event:
    data = {"question": f"q@{at}", "text": text} | ({"to": to} if to else {})
    return fact("question.asked", who, at, data, **more)


@pytest.mark.parametrize("customer", ["C-1", None])
def test_what_customers_asked_is_there_until_it_is_answered(given: Given, customer: str | None) -> None:
    who = f"customer:{customer}" if customer else SHOP
    facts = [
        opened("2026-03-02 09:00", customer=customer),
        question(who, "2026-03-02 10:00", SHOP, "Does it cost anything?"),
        question(SHOP, "2026-03-02 11:00", IMPORTER, "When will the part be there?"),
        question(SHOP, "2026-03-02 12:00", "customer", "Do you have the receipt?"),
    ]
    story = given(*facts).at("2026-03-03 09:00")
    (row,) = of(story)["asked"]
    assert (row["order"], row["owner"], row["text"], row["asked_at"]) == (
        "W-1",
        SHOP,
        "Does it cost anything?",
        "2026-03-02T10:00:00Z",
    )
    answer = {"question": "q@2026-03-02 10:00", "text": "No."}
    answered = given(*facts, fact("question.answered", SHOP, "2026-03-02 13:00", answer)).at("2026-03-03 09:00")
    assert of(answered)["asked"] == []


def test_whom_to_call_and_why(given: Given) -> None:
    failed = {"message": "m1", "kind": "received", "reason": "smtp_550"}
    facts = [opened("2026-03-02 09:00"), fact("message.failed", NOTIFIER, "2026-03-02 10:00", failed)]
    story = given(*facts).at("2026-03-02 11:00")
    (row,) = of(story)["calls"]
    assert (row["order"], row["message_kind"], row["reason"], row["due_at"]) == (
        "W-1",
        "received",
        "smtp_550",
        "2026-03-02T14:00:00Z",
    )
    called = {"channel": "phone", "direction": "outbound"}
    told = given(*facts, fact("customer.contacted", SHOP, "2026-03-02 12:00", called)).at("2026-03-02 13:00")
    assert of(told)["calls"] == []


def test_contacts_that_customers_started_since_the_day_before(given: Given) -> None:
    def contact(at: str, direction: str = "inbound", who: str = SHOP, **more: Any) -> Event:
        return fact("customer.contacted", who, at, {"channel": "phone", "direction": direction, "summary": at}, **more)

    mistaken = contact("2026-03-06 11:00")
    story = given(
        opened("2026-03-02 09:00"),
        opened("2026-03-02 09:00", order="B-1", source=OTHER_SHOP),
        contact("2026-03-05 16:00"),
        contact("2026-03-06 09:00", "outbound"),
        contact("2026-03-06 10:00", who=IMPORTER),
        mistaken,
        corrected(mistaken, "2026-03-06 12:00"),
        contact("2026-03-06 10:30", order="B-1"),
        question("customer:C-1", "2026-03-08 20:00", SHOP, "Is it ready?"),
        contact("2025-03-08 12:00", recorded="2026-03-08 21:00"),  # from an old log
        fact("order.closed", SHOP, "2026-03-08 22:00", {"outcome": "cancelled"}),  # she calls all the same
        contact("2026-03-09 07:00"),
    )
    monday, tuesday = of(story.at("2026-03-09 09:00")), of(story.at("2026-03-10 09:00"))
    assert monday["since"] == "2026-03-05T23:00:00Z"  # Friday, in Amsterdam
    assert [(row["contacted_at"], row["party"], row["channel"]) for row in monday["contacts"]] == [
        ("2026-03-09T07:00:00Z", SHOP, "phone"),
        ("2026-03-08T20:00:00Z", "customer:C-1", None),
        ("2026-03-06T10:00:00Z", IMPORTER, "phone"),
    ]
    assert monday["contacts"][1]["text"] == "Is it ready?"
    assert [row["contacted_at"] for row in tuesday["contacts"]] == ["2026-03-09T07:00:00Z"]


def test_parts_are_cut_and_totals_are_not(given: Given) -> None:
    story = given(*(opened("2026-03-02 09:00", order=f"W-{number}") for number in range(5))).at("2026-03-06 09:00")
    shop = of(story, limit=2)
    assert [len(shop[part]) for part in ("overdue", "orders")] == [2, 2]
    assert (shop["totals"]["overdue"], shop["totals"]["open"]) == (5, 5)
    assert of(story, limit=0)["totals"]["open"] == 5


@pytest.mark.parametrize("party", ["customer:C-1", "chain:notifier", "nobody", "shop:"])
def test_only_partners_have_lists(empty: Callable[[], Story], party: str) -> None:
    with pytest.raises(QueryError, match="is not a party"):
        of(empty().at("2026-03-03 09:00"), party)


def test_a_list_is_somebody_s(empty: Callable[[], Story]) -> None:
    with pytest.raises(QueryError, match="'party' is missing"):
        empty().at("2026-03-03 09:00").ask("briefing")
    with pytest.raises(QueryError, match="'now' is missing"):
        of(empty())


def test_a_bench_that_is_late_is_told_so(given: Given) -> None:
    story = given(
        opened("2026-03-02 09:00"), handed(SHOP, BENCH, "2026-03-02 10:00"), received(BENCH, "2026-03-02 11:00")
    )
    assert BENCH in due(story, "2026-03-05 12:00")
    assert [row["kind"] for row in of(story.at("2026-03-05 12:00"), BENCH)["overdue"]] == ["diagnose"]
