"""The envelope: CloudEvents, times in UTC, ids and parties that can be filed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from events.custody import HandedOver
from events.envelope import Event, TypeNameError, iso, make_event, split_type
from events.party import PartyError, check_party, name_of, role_of

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_an_event_is_written_and_read_back() -> None:
    event = make_event(
        "item.handed_over",
        source="retailer:acme",
        id="e1",
        subject="W-1",
        time=NOON.astimezone(timezone(timedelta(hours=2))),
        data=HandedOver(to="importer:north", carrier="post"),
    )
    assert Event.from_json(event.to_json()) == event
    assert event.time == NOON
    assert b'"time":"2026-11-21T12:00:00Z"' in event.to_json()
    assert event.data == {"to": "importer:north", "carrier": "post"}
    assert split_type(event.type) == ("item.handed_over", 1)


def test_moments_are_written_in_one_way() -> None:
    assert iso(NOON) == "2026-11-21T12:00:00Z"
    assert iso(NOON.replace(microsecond=1)) == "2026-11-21T12:00:00.000001Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        make_event("a.b", source="retailer:acme", id="1", subject="W", time=datetime(2026, 1, 1), data={})  # noqa: DTZ001


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_is_in_no_year_of_utc_is_refused(text: str) -> None:
    moment = datetime.fromisoformat(text)
    with pytest.raises(ValidationError, match="from 1 to 9999"):
        make_event("item.received", source="retailer:acme", id="1", subject="W", time=moment, data={})


@pytest.mark.parametrize(
    "text", ["", "acme", "shop:acme", "retailer:", "retailer: acme", "retailer:a\nb", "retailer:" + "é" * 61]
)
def test_what_is_no_party_is_told_so(text: str) -> None:
    with pytest.raises(PartyError, match=r"role:name|printable"):
        check_party(text)


def test_party_names_may_be_anything_readable() -> None:
    assert check_party("repairer:V13 2nd 3rd.é*>") == "repairer:V13 2nd 3rd.é*>"
    assert role_of("repairer:a:b") == "repairer"
    assert name_of("repairer:a:b") == "a:b"


@pytest.mark.parametrize(
    "text", ["order.opened", "repairchain.order.v1", "repairchain.order.opened.v0", "repairchain.Order.opened.v1"]
)
def test_what_is_no_type_is_told_so(text: str) -> None:
    with pytest.raises(TypeNameError):
        split_type(text)


@pytest.mark.parametrize("id", ["", " x", "a\tb", "é" * 121])
def test_ids_that_cannot_be_filed_are_refused(id: str) -> None:
    with pytest.raises(ValidationError):
        make_event("a.b", source="retailer:acme", id=id, subject="W", time=NOON, data={})
