"""Signatures, what a webhook tells, and which facts come of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from services.carriers import aftership, easypost
from services.carriers.checkpoint import Checkpoint, carriers_own, plain_number
from services.carriers.matching import Handover, facts_of
from services.carriers.moments import read_moment
from tests.services.carriers import samples

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)

Verify = Callable[[Mapping[str, str], bytes, Sequence[str]], bool]
Sign = Callable[[bytes, str], dict[str, str]]
WAYS = [
    pytest.param(aftership.is_signed, samples.signed_by_aftership, id="aftership"),
    pytest.param(easypost.is_signed, samples.signed_by_easypost, id="easypost"),
    pytest.param(easypost.is_signed, samples.signed_by_easypost_2, id="easypost v2"),
]


@pytest.mark.parametrize(("verify", "sign"), WAYS)
def test_a_signature_fits_its_body_and_a_secret_in_force(verify: Verify, sign: Sign) -> None:
    body, secret = b'{"result": {}}', "sécret Å"
    good = sign(body, secret)
    assert verify(good, body, [secret])
    assert verify(good, body, ["the one to come", secret])
    assert not verify(good, body + b" ", [secret])
    assert not verify(good, body, ["another"])
    assert not verify(good, body, [])
    assert not verify({}, body, [secret])
    for name in good:
        assert not verify(good | {name: "\udcff"}, body, [secret]) or name == "as-webhook-version"


def test_a_newer_signature_that_is_wrong_is_not_made_up_for_by_an_older_one() -> None:
    body = b"{}"
    both = samples.signed_by_easypost(body) | samples.signed_by_easypost_2(body, "another")
    assert not easypost.is_signed(both, body, [samples.EASYPOST_SECRET])


def test_the_example_of_known_answer() -> None:
    # HMAC-SHA256 of RFC 4231, test case 2, in both forms.
    body, secret = b"what do ya want for nothing?", "Jefe"
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert easypost.is_signed({"x-hmac-signature": f"hmac-sha256-hex={digest}"}, body, [secret])
    assert aftership.is_signed(
        {"aftership-hmac-sha256": "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="}, body, [secret]
    )


def test_what_aftership_tells() -> None:
    found = list(aftership.checkpoints(orjson.loads(samples.aftership()), NOW))
    assert [(each.status, each.code, each.carrier_code) for each in found] == [
        ("announced", "InfoReceived_001", "MA"),
        ("in_transit", "InTransit_002", "I0"),
        ("out_for_delivery", "OutForDelivery_001", "OFD"),
        ("delivered", "Delivered_003", None),
    ]
    assert {(each.number, each.carrier, each.via) for each in found} == {("3S123", "parcel-post", "aftership")}
    assert found[0].at == datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "subtag", "status"),
    [
        ("AttemptFail", "AttemptFail_001", "exception"),
        ("Exception", "Exception_007", "exception"),
        ("Exception", "Exception_011", "returned"),
        ("AvailableForPickup", "AvailableForPickup_001", "available"),
        ("Expired", "Expired_001", "exception"),
        ("Pending", "Pending_001", None),
        ("Unheard", "Of_001", None),
    ],
)
def test_each_status_of_aftership_is_one_of_ours_or_none(tag: str, subtag: str, status: str | None) -> None:
    told = samples.aftership("3S1", (tag, subtag, "03T10:00:00Z", ""))
    assert [each.status for each in aftership.checkpoints(orjson.loads(told), NOW)] == ([status] if status else [])


@pytest.mark.parametrize(
    ("theirs", "status"),
    [
        ("pre_transit", "announced"),
        ("in_transit", "in_transit"),
        ("out_for_delivery", "out_for_delivery"),
        ("available_for_pickup", "available"),
        ("delivered", "delivered"),
        ("return_to_sender", "returned"),
        ("failure", "exception"),
        ("unknown", None),
    ],
)
def test_each_status_of_easypost_is_one_of_ours_or_none(theirs: str, status: str | None) -> None:
    told = samples.easypost("3S1", (theirs, "arrived_at_facility", "03T10:00:00Z"))
    assert [each.status for each in easypost.checkpoints(orjson.loads(told), NOW)] == ([status] if status else [])


@pytest.mark.parametrize("read", [aftership.checkpoints, easypost.checkpoints])
def test_what_is_no_story_of_a_parcel_tells_nothing(read: Callable[[Any, datetime], Any]) -> None:
    scan = {"checkpoint_time": 3, "datetime": None, "tag": "Delivered", "status": "delivered"}
    documents: tuple[Any, ...] = (
        None,
        [],
        {},
        {"msg": None, "result": None},
        {"msg": {"checkpoints": 1}, "result": {"object": "Batch"}},
        {
            "msg": {"tracking_number": "1", "checkpoints": [1, scan]},
            "result": {"object": "Tracker", "tracking_code": "1", "tracking_details": ["x", scan]},
        },
        {
            "msg": {"checkpoints": [{**scan, "checkpoint_time": "2026-03-01T00:00:00Z"}]},
            "result": {"object": "Tracker", "tracking_details": [{**scan, "datetime": "2026-03-01T00:00:00Z"}]},
        },
    )
    for document in documents:
        assert list(read(document, NOW)) == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T10:00:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:00+02:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-07T10:00:00Z", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("yesterday", None),
        (5, None),
    ],
)
def test_when_a_scan_was_made(text: object, moment: datetime | None) -> None:
    assert read_moment(text, NOW) == moment


def test_a_code_is_no_name() -> None:
    assert carriers_own("OFD") == "OFD"
    assert carriers_own("I0") == "I0"
    assert carriers_own("EVENT_44") == "EVENT_44"
    for words in ("SMITH", "Zo Unlikely", "signed by 2", "", None, 7):
        assert carriers_own(words) is None


def scan(number: str = "3S123", day: int = 3, status: Any = "in_transit") -> Checkpoint:
    return Checkpoint(via="aftership", number=number, status=status, at=datetime(2026, 3, day, tzinfo=UTC))


def handover(order: str, day: int = 2, id: str = "h1") -> Handover:
    return Handover("3S123", order, id, datetime(2026, 3, day, tzinfo=UTC))


def test_facts_are_the_same_in_whatever_order_they_are_told_and_once() -> None:
    scans = [scan(day=2, status="announced"), scan(day=3), scan(day=4, status="delivered")]
    events, settled = facts_of(scans, [handover("W-1")], (), NOW)
    assert [event.data["status"] for event in events] == ["announced", "in_transit", "delivered"]
    assert {(event.source, event.subject, event.causationid) for event in events} == {("chain:carriers", "W-1", "h1")}
    shuffled = [*scans, *scans]
    random.Random(1).shuffle(shuffled)
    again, _ = facts_of(shuffled, [handover("W-1")], (), NOW)
    assert {event.id for event in again} == {event.id for event in events}
    assert facts_of(scans, [handover("W-1")], {event.id for event in events}, NOW) == ([], settled)


def test_a_parcel_with_several_orders_is_told_of_each() -> None:
    events, _ = facts_of([scan()], [handover("W-1"), handover("W-2")], (), NOW)
    assert {event.subject for event in events} == {"W-1", "W-2"}
    assert len({event.id for event in events}) == 2


def test_a_number_that_was_used_before_is_another_parcel() -> None:
    old = scan().model_copy(update={"at": datetime(2025, 6, 1, tzinfo=UTC)})
    assert facts_of([old], [handover("W-1")], (), NOW) == ([], [])
    later = scan().model_copy(update={"at": datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=200)})
    assert facts_of([later], [handover("W-1")], (), NOW) == ([], [])


def test_it_is_the_same_number_however_it_is_written() -> None:
    assert plain_number("3s 12-3") == plain_number("3S123")
    assert scan("3s 12-3").id == scan("3S123").id
