"""Given what the log knows, when a submission comes, then it is taken, told apart, or refused with a reason."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.envelope import make_event
from events.party import role_of
from services.intake.deciding import Accept, Duplicate, Found, decide, name_hash, order_hash
from services.intake.problems import Refusal, is_held, kind_of
from services.intake.reading import read_document, read_event

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOP, OTHER_SHOP, IMPORTER = "retailer:acme", "retailer:bolt", "importer:north"


@dataclass
class Log:
    """What the log knows, as a test gives it."""

    facts: dict[tuple[str, str], Found] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    merges: dict[str, str] = field(default_factory=dict)
    numbers: dict[tuple[str, str, str, str | None], list[str]] = field(default_factory=dict)

    def find(self, source: str, id: str) -> Found | None:
        return self.facts.get((source, id))

    def opened_by(self, order: str) -> str | None:
        return self.orders.get(order)

    def order_of(self, party: str, reference: str) -> str | None:
        return self.aliases.get((party, reference))

    def merged_into(self, order: str) -> str | None:
        return self.merges.get(order)

    def numbered(self, party: str, kind: str, number: str, given_by: str | None) -> list[str]:
        return self.numbers.get((party, kind, number, given_by), [])


def before(name: str, order: str = "W-1") -> Found:
    """A fact that is in the log already."""
    return Found(7, order_hash(order), name_hash(name))


def when(
    log: Log,
    name: str,
    data: dict[str, Any] | None = None,
    *,
    source: str = SHOP,
    on: str | None = None,
    subject: str = "W-1",
    time: datetime = NOW,
    version: int = 1,
    by: tuple[str, str | None] | None = None,
) -> Accept | Duplicate:
    event = make_event(name, source=source, id="e1", subject=subject, time=time, data=data or {}, version=version)
    if by is not None:
        event = event.model_copy(update={"subjectkind": by[0], "subjectof": by[1]})
    return decide(event, on or source, log, NOW)


def refused(log: Log, name: str, data: dict[str, Any] | None = None, **rest: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        when(log, name, data, **rest)
    return caught.value


OPENED = Log(orders={"W-1": SHOP})


def test_an_order_is_opened_and_stamped() -> None:
    outcome = when(Log(), "order.opened", {"product": {"brand": "Example"}})
    assert isinstance(outcome, Accept)
    assert outcome.event.recordedtime == NOW
    assert outcome.contact is None


def test_the_customers_name_and_address_are_taken_off() -> None:
    contact = {"name": "A. Customer", "language": "nl", "channels": [{"kind": "email", "address": "a@example.org"}]}
    outcome = when(Log(), "order.opened", {"product": {}, "customer": "C-1", "contact": contact})
    assert isinstance(outcome, Accept)
    assert outcome.event.data == {"product": {}, "customer": "C-1"}
    assert outcome.contact is not None
    assert outcome.contact.model_dump(mode="json", exclude_defaults=True) == contact
    assert outcome.contact_key == "retailer=3Aacme.C-1"


def test_a_contact_without_a_reference_goes_under_the_orders_id() -> None:
    outcome = when(Log(), "order.opened", {"product": {}, "contact": {"name": "A."}})
    assert isinstance(outcome, Accept)
    assert outcome.event.data["customer"] == "W-1"


@pytest.mark.parametrize("address", ["no address", "a@b\nBcc: c@d", "a@b,c@d", "<a@b>", "a;b@c"])
def test_an_address_that_is_none_or_more_than_one_is_refused(address: str) -> None:
    data = {"product": {}, "contact": {"channels": [{"kind": "email", "address": address}]}}
    refusal = refused(Log(), "order.opened", data)
    assert refusal.kind == "invalid"
    assert refusal.pointer == "/data/contact/channels/0/address"


def test_a_channel_names_no_service_to_call() -> None:
    data = {"product": {}, "contact": {"channels": [{"kind": "json://10.0.0.1", "address": "a@b"}]}}
    assert refused(Log(), "order.opened", data).pointer == "/data/contact/channels/0/kind"


def test_a_fact_about_a_known_order_is_taken() -> None:
    outcome = when(OPENED, "item.received", source=IMPORTER)
    assert isinstance(outcome, Accept)
    assert outcome.event.subject == "W-1"


def test_a_partys_own_number_leads_to_the_order() -> None:
    log = Log(orders={"W-1": SHOP, "77": OTHER_SHOP}, aliases={(IMPORTER, "77"): "W-1"})
    outcome = when(log, "item.received", source=IMPORTER, subject="77")
    assert isinstance(outcome, Accept)
    assert outcome.event.subject == "W-1"


def test_times_in_the_data_are_written_in_utc() -> None:
    data = {"to": IMPORTER, "expected_by": "2026-03-04T17:00:00+01:00"}
    outcome = when(OPENED, "item.handed_over", data)
    assert isinstance(outcome, Accept)
    assert outcome.event.data["expected_by"] == "2026-03-04T16:00:00Z"


def test_the_same_fact_again_is_a_duplicate_with_its_position() -> None:
    log = Log(orders={"W-1": SHOP}, facts={(SHOP, "e1"): before("order.reopened")})
    assert when(log, "order.reopened") == Duplicate("e1", 7, "W-1")


def test_an_id_that_was_used_for_another_order_is_refused() -> None:
    log = Log(orders={"W-1": SHOP, "W-2": SHOP}, facts={(SHOP, "e1"): before("order.reopened")})
    assert refused(log, "order.reopened", subject="W-2").kind == "id-reused"


def test_an_id_that_was_used_for_another_type_is_refused_rather_than_lost_as_a_duplicate() -> None:
    log = Log(orders={"W-1": SHOP}, facts={(SHOP, "e1"): before("order.opened")})
    refusal = refused(log, "item.handed_over", {"to": IMPORTER})
    assert (refusal.kind, refusal.pointer) == ("id-reused", "/id")
    assert "for another type of event" in refusal.detail


def test_late_and_odd_facts_are_taken() -> None:
    assert isinstance(when(OPENED, "item.received", time=NOW - timedelta(days=4000)), Accept)
    assert isinstance(when(OPENED, "repair.completed"), Accept)


def test_an_unknown_version_is_refused_unread_because_it_might_hold_an_address() -> None:
    assert refused(OPENED, "item.received", {"customer_email": "a@example.org"}, version=9).kind == "unknown-version"


def test_nobody_signs_for_another() -> None:
    assert refused(Log(), "order.opened", {"product": {}, "accountable": OTHER_SHOP}).pointer == "/data/accountable"
    assert isinstance(when(Log(), "order.opened", {"product": {}, "accountable": SHOP}), Accept)


def test_a_party_takes_back_what_it_said_of_itself() -> None:
    outcome = when(Log(), "fact.corrected", {"fact_id": "x", "reason": "did_not_occur"}, subject=SHOP)
    assert isinstance(outcome, Accept)


def test_a_handover_to_the_customer_is_called_a_return() -> None:
    refusal = refused(OPENED, "item.handed_over", {"to": "customer:C-1"})
    assert "item.returned" in refusal.detail


@pytest.mark.parametrize("time", ["20240101", "1709370000", 1709370000])
def test_a_time_is_not_a_number(time: object) -> None:
    with pytest.raises(Refusal) as caught:
        read_event({**json.loads(STRUCTURED), "time": time})
    assert caught.value.pointer == "/time"


def test_what_a_refusal_repeats_of_the_sender_is_bounded() -> None:
    with pytest.raises(Refusal) as caught:
        read_event({**json.loads(STRUCTURED), "type": "x" * 60_000})
    assert len(caught.value.detail) < 600


def test_a_party_speaks_for_itself_only() -> None:
    assert refused(OPENED, "item.received", source=IMPORTER, on=SHOP).pointer == "/source"
    assert refused(OPENED, "party.closed", PERIOD, subject=IMPORTER).pointer == "/subject"
    correction = {"fact_id": "x", "reason": "did_not_occur", "fact_source": IMPORTER}
    assert refused(OPENED, "fact.corrected", correction).pointer == "/data/fact_source"


PERIOD = {"from": "2026-07-13T00:00:00+02:00", "until": "2026-07-27T00:00:00+02:00"}


def test_a_closure_is_about_the_party_itself() -> None:
    outcome = when(Log(), "party.closed", PERIOD, subject=SHOP)
    assert isinstance(outcome, Accept)


@pytest.mark.parametrize("name", ["message.sent", "commitment.overdue", "incident.declared"])
def test_a_role_says_its_types_only(name: str) -> None:
    assert refused(OPENED, name).kind == "not-yours-to-say"
    assert role_of(SHOP) in refused(OPENED, name).detail


def test_an_unheard_of_type_is_refused_but_told_that_it_is_kept() -> None:
    assert refused(OPENED, "moon.landed").kind == "unknown-type"


def test_an_order_that_nobody_opened_is_named() -> None:
    refusal = refused(Log(), "item.received", source=IMPORTER)
    assert (refusal.kind, refusal.pointer) == ("unknown-order", "/subject")
    assert "W-1" in refusal.detail


def test_an_id_of_another_shop_is_not_opened_again() -> None:
    assert refused(Log(orders={"W-1": OTHER_SHOP}), "order.opened", {"product": {}}).kind == "order-id-taken"
    assert isinstance(when(OPENED, "order.opened", {"product": {}}), Accept)


def test_an_order_is_not_called_like_a_party() -> None:
    assert refused(Log(), "order.opened", {"product": {}}, subject=IMPORTER).pointer == "/subject"


@pytest.mark.parametrize(
    ("data", "pointer"),
    [({}, "/data/to"), ({"to": "north"}, "/data/to"), ({"to": IMPORTER, "colour": 1}, "/data/colour")],
)
def test_what_is_wrong_in_the_data_is_pointed_at(data: dict[str, Any], pointer: str) -> None:
    refusal = refused(OPENED, "item.handed_over", data)
    assert (refusal.kind, refusal.pointer) == ("invalid", pointer)


def test_nobody_hands_over_to_himself() -> None:
    refusal = refused(OPENED, "item.handed_over", {"to": IMPORTER}, source=IMPORTER)
    assert (refusal.kind, refusal.pointer) == ("invalid", "/data/to")
    assert "name who is to get it" in refusal.detail
    assert isinstance(when(OPENED, "item.handed_over", {"to": IMPORTER}), Accept)
    log = Log(orders=OPENED.orders, facts={(IMPORTER, "e1"): before("item.handed_over")})
    assert when(log, "item.handed_over", {"to": IMPORTER}, source=IMPORTER) == Duplicate("e1", 7, "W-1")


def test_a_clock_that_is_wrong_by_more_than_a_day_is_told_so() -> None:
    assert refused(OPENED, "item.received", time=NOW + timedelta(hours=25)).pointer == "/time"
    assert refused(OPENED, "item.received", time=datetime(1969, 12, 31, tzinfo=UTC)).pointer == "/time"
    assert isinstance(when(OPENED, "item.received", time=NOW + timedelta(hours=2)), Accept)


STRUCTURED = (
    b'{"specversion":"1.0","id":"e1","source":"retailer:acme","type":"repairchain.order.reopened.v1",'
    b'"subject":"W-1","time":"2026-03-02T10:00:00Z","data":{}}'
)


def test_both_modes_of_cloudevents_are_read() -> None:
    structured = read_event(read_document({"Content-Type": "application/cloudevents+json"}, STRUCTURED))
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "e1",
        "ce-source": "retailer:acme",
        "ce-type": "repairchain.order.reopened.v1",
        "CE-Subject": "W%2D1",
        "ce-time": "2026-03-02T10:00:00Z",
        "Content-Type": "application/json",
    }
    assert read_event(read_document(headers, b"{}")) == structured
    assert read_event(read_document(None, STRUCTURED)) == structured
    with pytest.raises(Refusal, match="ce-subject must be UTF-8"):  # and no other order than %ff%ff
        read_document(headers | {"CE-Subject": "%ff%fe"}, b"{}")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "unreadable"),
        (b"\xff\xfe", "unreadable"),
        (b"[]", "unreadable"),
        (b"{}", "unreadable"),
        (b'{"specversion":"0.3"}', "unreadable"),
        (b'{"specversion":"1.0"}', "invalid"),
        (STRUCTURED.replace(b"repairchain.order", b"com.example.order"), "unknown-type"),
        (STRUCTURED.replace(b"2026-03-02T10:00:00Z", b"yesterday"), "invalid"),
        (STRUCTURED.replace(b'"e1"', b'"' + b"x" * 300 + b'"'), "invalid"),
        (b" " * 65_537, "too-large"),
    ],
)
def test_what_cannot_be_read_is_told_so(body: bytes, kind: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_event(read_document(None, body))
    problem = caught.value.problem("e1")
    assert kind_of(problem.type) == kind
    assert problem.title
    assert problem.detail


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("order.opened", "write repairchain.order.opened.v1"),
        ("order.open", "did you mean repairchain.order.opened.v1"),  # in full it would be no type either
        ("repairchain.order.open.v1", "did you mean repairchain.order.opened.v1"),
        ("repairchain.moon.landed.v1", "docs/events lists"),
        ("opened", "write repairchain.<thing>.<what_happened>.v<version>"),
    ],
)
def test_a_type_that_is_none_is_told_how_to_write_it_or_where_to_look(written: str, told: str) -> None:
    body = STRUCTURED.replace(b"repairchain.order.reopened.v1", written.encode())
    with pytest.raises(Refusal, match=told) as caught:
        decide(read_event(read_document(None, body)), SHOP, Log(), NOW)
    assert (caught.value.kind, caught.value.pointer) == ("unknown-type", "/type")


@pytest.mark.parametrize(
    ("data", "subject", "pointer"),
    [
        ({"customer": "zo@post.example"}, "W-1", "/data/customer"),
        ({"customer": "C-Unlikely", "contact": {"name": "Zo Unlikely"}}, "W-1", "/data/customer"),
        ({"contact": {"name": "Zo Unlikely"}}, "unlikely-1", "/subject"),  # where none is named, the order's id stands
    ],
)
def test_a_reference_that_tells_who_she_is_is_refused(data: dict[str, Any], subject: str, pointer: str) -> None:
    refusal = refused(Log(), "order.opened", {"product": {}, **data}, subject=subject)
    assert (refusal.kind, refusal.pointer) == ("invalid", pointer)
    assert "number or a code" in str(refusal)
    for personal in ("zo@post", "unlikely"):
        assert personal not in str(refusal).casefold()


def test_an_order_without_a_customer_may_be_called_anything() -> None:
    assert isinstance(when(Log(), "order.opened", {"product": {}}, subject="a@b"), Accept)


def test_an_id_that_bears_a_partys_name_is_that_partys() -> None:
    outcome = when(Log(), "order.opened", {"product": {}}, subject="W-1~acme")
    assert isinstance(outcome, Accept)
    assert outcome.event.subject == "W-1~acme"
    refusal = refused(Log(), "order.opened", {"product": {}}, subject="W-1~rival")
    assert (refusal.kind, refusal.pointer) == ("not-your-name", "/subject")


TWO = {"W-1": SHOP, "W-2": SHOP, "W-3": SHOP, "X-9": OTHER_SHOP}


def test_who_opened_both_orders_says_that_they_are_one() -> None:
    outcome = when(Log(orders=TWO, aliases={(SHOP, "17"): "W-2"}), "order.merged", {"into": "17"})
    assert isinstance(outcome, Accept)
    # The log says what was said: of the order that ends, and of the one that goes on by its chain-wide id.
    assert (outcome.event.subject, outcome.event.data) == ("W-1", {"into": "W-2"})


@pytest.mark.parametrize("name", ["order.merged", "order.unmerged"])
def test_nobody_says_of_anothers_order_that_it_is_one_with_his(name: str) -> None:
    data = {"into": "W-1"} if name == "order.merged" else {}
    assert refused(Log(orders=TWO), name, data, subject="X-9").kind == "not-your-order"
    assert refused(Log(orders=TWO), name, data, subject="W-1", source=IMPORTER).kind == "not-your-order"


def test_whether_there_is_such_an_order_of_anothers_is_not_told() -> None:
    found = [refused(Log(orders=TWO), "order.merged", {"into": into}) for into in ("X-9", "Y-9")]
    assert [each.detail.replace("Y-9", "X-9") for each in found] == [found[0].detail] * 2
    assert [(each.kind, each.pointer) for each in found] == [("not-your-order", "/data/into")] * 2


@pytest.mark.parametrize(
    ("merges", "into", "why"),
    [
        ({}, "W-1", "the same order"),
        ({"W-2": "W-1"}, "W-2", "that one goes on"),
        ({"W-2": "W-3", "W-3": "W-1"}, "W-2", "that one goes on"),
        ({"W-1": "W-3"}, "W-2", "order.unmerged"),
    ],
)
def test_orders_that_are_one_make_no_ring_and_no_fork(merges: dict[str, str], into: str, why: str) -> None:
    refusal = refused(Log(orders=TWO, merges=merges), "order.merged", {"into": into})
    assert refusal.kind == "invalid"
    assert why in refusal.detail


def test_a_chain_of_orders_is_taken_and_so_is_a_repetition() -> None:
    assert isinstance(when(Log(orders=TWO, merges={"W-2": "W-3"}), "order.merged", {"into": "W-2"}), Accept)
    assert isinstance(when(Log(orders=TWO, merges={"W-1": "W-2"}), "order.merged", {"into": "W-2"}), Accept)
    assert isinstance(when(Log(orders=TWO), "order.unmerged"), Accept)


def test_an_order_is_named_by_a_number_of_its_own_and_goes_into_the_log_by_its_id() -> None:
    log = Log(orders=TWO, numbers={(IMPORTER, "serial", "SN-1", "Tide"): ["W-2"]})
    outcome = when(log, "item.received", source=IMPORTER, subject="SN-1", by=("serial", "Tide"))
    assert isinstance(outcome, Accept)
    assert (outcome.event.subject, outcome.event.subjectkind, outcome.event.subjectof) == ("W-2", None, None)
    assert b"subjectkind" not in outcome.event.to_json()


def test_a_number_of_none_is_held_and_of_several_is_refused_with_how_many() -> None:
    several = Log(orders=TWO, numbers={(IMPORTER, "reference", "88", None): ["W-1", "W-2", "W-3"]})
    none = refused(Log(orders=TWO), "item.received", source=IMPORTER, subject="88", by=("reference", None))
    many = refused(several, "item.received", source=IMPORTER, subject="88", by=("reference", None))
    assert is_held(none.problem(None))
    assert (many.kind, is_held(many.problem(None))) == ("ambiguous-number", False)
    assert "3 orders" in many.detail
    assert not any(order in many.detail for order in TWO)


def test_orders_that_are_one_are_one_also_for_a_number() -> None:
    log = Log(orders=TWO, merges={"W-1": "W-2"}, numbers={(IMPORTER, "reference", "88", None): ["W-1", "W-2"]})
    outcome = when(log, "item.received", source=IMPORTER, subject="88", by=("reference", None))
    assert isinstance(outcome, Accept)
    assert outcome.event.subject == "W-2"


def test_what_is_said_again_means_what_it_meant_whatever_else_has_that_number_by_now() -> None:
    said = {(IMPORTER, "e1"): before("item.received", order="W-2")}
    log = Log(facts=said, orders=TWO, numbers={(IMPORTER, "serial", "SN-1", None): ["W-1", "W-2"]})
    again = when(log, "item.received", source=IMPORTER, subject="SN-1", by=("serial", None))
    assert again == Duplicate("e1", 7, "W-2")


def test_an_order_is_not_opened_by_a_number() -> None:
    refusal = refused(Log(), "order.opened", {"product": {}}, by=("serial", None))
    assert (refusal.kind, refusal.pointer) == ("invalid", "/subjectkind")
