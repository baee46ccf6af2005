"""Who owes what, by when, and what became of it."""

from __future__ import annotations

from tests.projections.story import (
    BENCH,
    IMPORTER,
    SHOP,
    WATCHDOG,
    Given,
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


def test_a_receipt_is_owed_within_two_working_days_of_the_receiver(given: Given) -> None:
    story = given(OPENED, LEFT)
    story.then_rows(
        "commitments",
        {
            "commitment_id": f"receipt/W-1/{SHOP}/{LEFT.id}",
            "kind": "receipt",
            "owed_by": IMPORTER,
            "owed_to": SHOP,
            "since": "2026-03-06T15:30:00Z",
            "due": "2026-03-10T15:30:00Z",
            "state": "open",
            "overdue_level": 0,
        },
    )
    assert story.at("2026-03-10 15:30").ask("stalled")["stalled"] == []
    assert story.at("2026-03-10 16:30").ask("stalled")["stalled"] == [
        {
            "commitment_id": f"receipt/W-1/{SHOP}/{LEFT.id}",
            "kind": "receipt",
            "order_id": "W-1",
            "owed_by": IMPORTER,
            "owed_to": SHOP,
            "accountable": SHOP,
            "since": "2026-03-06T15:30:00Z",
            "due": "2026-03-10T15:30:00Z",
            "overdue_seconds": 3_600,
            "overdue_level": 0,
        }
    ]


def test_a_receipt_meets_it_late_or_in_time(given: Given) -> None:
    given(OPENED, LEFT, received(IMPORTER, "2026-03-10 15:31")).then_rows(
        "commitments", {"state": "met", "met_late": True, "settled_at": "2026-03-10T15:31:00Z"}
    )


def test_the_accountable_party_is_who_the_opening_names(given: Given) -> None:
    given(opened(accountable=BENCH, customer=None), LEFT).then_rows(
        "commitments", {"owed_to": BENCH, "accountable": BENCH}
    ).then_order(accountable=BENCH, opened_by=SHOP)


def test_a_closure_moves_what_is_due_whenever_it_is_announced(given: Given) -> None:
    holiday = closed_party(IMPORTER, "2026-03-08 23:00", "2026-03-22 23:00")
    before = given(holiday, OPENED, LEFT).then_rows("commitments", {"due": "2026-03-24T15:30:00Z"})
    after = given(OPENED, LEFT, handed(SHOP, BENCH, "2026-03-06 15:45", order="W-2"))
    after.then_rows("commitments", {"due": "2026-03-10T15:30:00Z"})
    after.database.apply(messages_of([holiday], first=4))
    after.then_rows("commitments", {"due": "2026-03-24T15:30:00Z"})
    after.then_rows("commitments", {"due": "2026-03-10T15:45:00Z"}, order="W-2")

    after.database.apply(messages_of([corrected(holiday, "2026-03-08 10:00")], first=5))
    after.then_rows("commitments", {"due": "2026-03-10T15:30:00Z"})
    importer = next(party for party in before.ask("parties")["parties"] if party["party"] == IMPORTER)
    assert importer["closures"] == [
        {"from": "2026-03-08T23:00:00Z", "until": "2026-03-22T23:00:00Z", "reason": "holiday"}
    ]


def test_it_is_noted_how_often_it_was_overdue(given: Given) -> None:
    def overdue(level: int, time: str) -> object:
        data = {
            "commitment": f"receipt/W-1/{SHOP}/{LEFT.id}",
            "kind": "receipt",
            "level": level,
            "owed_by": IMPORTER,
            "due": "2026-03-10T15:30:00Z",
        }
        return fact("commitment.overdue", WATCHDOG, time, data)

    story = given(OPENED, LEFT, overdue(1, "2026-03-10 15:30"), overdue(2, "2026-03-11 15:30"))
    story.then_rows("commitments", {"overdue_level": 2, "state": "open"})
    assert story.ask("stats")["commitments_overdue_noted"] == 1


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
    news = {"kind": "news", "owed_by": SHOP, "owed_to": "customer:C-1"}
    story.then_rows(
        "commitments",
        {**news, "since": "2026-03-06T09:00:00Z", "due": "2026-03-13T09:00:00Z", "state": "met", "met_late": False},
        # Promised for four in the afternoon, so due an hour before; the call came two days later.
        {**news, "since": "2026-03-06T09:01:00Z", "due": "2026-03-10T15:00:00Z", "state": "met", "met_late": True},
        {**news, "since": "2026-03-12T10:00:00Z", "due": "2026-03-19T10:00:00Z", "state": "ended", "met_late": False},
    )
    story.then_order(
        contacts_started=1, messages_sent=2, last_told_at="2026-03-19T12:05:00Z", last_told_kind="repaired"
    )
    contacts = story.rows("contacts")
    assert [(row["direction"], row["channel"], row["party"]) for row in contacts] == [
        ("inbound", "phone", SHOP),
        ("outbound", "phone", SHOP),
    ]


def test_nobody_is_owed_news_without_a_customer_and_everybody_again_after_reopening(given: Given) -> None:
    given(OPENED, sent("2026-03-06 09:01")).then_rows("commitments")
    given(
        opened("2026-03-06 09:00"),
        fact("order.closed", SHOP, "2026-03-09 12:00", {"outcome": "repaired"}),
        fact("order.reopened", SHOP, "2026-03-20 12:00"),
    ).then_rows(
        "commitments",
        {"since": "2026-03-06T09:00:00Z", "state": "ended", "settled_at": "2026-03-09T12:00:00Z"},
        {"since": "2026-03-20T12:00:00Z", "state": "open", "due": "2026-03-27T12:00:00Z"},
    )
