"""A partner's sample file on a chain of its own: given events, what would happen to each, and what is left behind."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from events.envelope import MAX_BYTES
from events.party import PartyError
from services.conformance import Rehearsal, rehearse
from tests.ready import projectors_borrow

SHOP, IMPORTER = "retailer:acme", "importer:north"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
CONTACT = {"channels": [{"kind": "email", "address": "customer@mail.example"}]}
OPENED: dict[str, Any] = {"product": {"brand": "Example"}, "customer": "C-1", "contact": CONTACT}


def event(id: str, name: str, day: int, order: str = "W-1", source: str = SHOP, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": f"repairchain.{name}.v1",
        "subject": order,
        "time": datetime(2026, 3, day, 10, tzinfo=UTC).isoformat(),
        "data": data,
    }


def outcomes(found: Rehearsal) -> list[str]:
    return [verdict.outcome for verdict in found.verdicts]


async def test_each_event_has_a_verdict_and_each_order_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPAIRCHAIN_EMAIL_URL", "mailtos://nobody:nothing@mail.invalid")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = await rehearse(
        SHOP,
        [
            event("e1", "order.opened", 2, **OPENED),
            event("e2", "item.handed_over", 3, to=IMPORTER),
            event("e2", "item.handed_over", 3, to=IMPORTER),
            event("e3", "item.handed_over", 3, to="nobody", item=7),
            event("e4", "item.received", 4, order="W-2"),
            event("e5", "order.opened", 4, order="W-2", product={}),
            event("e6", "item.received", 5, order="W-3"),
            {"id": 7},
            event("e8", "item.received", 5, source=IMPORTER),
            event("e9", "item.received", 5) | {"time": (NOW + timedelta(days=2)).isoformat()},
            event("e10", "item.received", 5, condition="x" * 5 * MAX_BYTES),  # more than the stream takes
            event("e11", "item.received", 5, condition="x" * 32 * MAX_BYTES),  # and than the server
        ],
        NOW,
    )
    assert outcomes(found) == [
        "accepted",
        "accepted",
        "duplicate",
        "rejected",
        "accepted",
        "accepted",
        "held",
        *["rejected"] * 5,
    ]
    assert [verdict.number for verdict in found.verdicts if verdict.waited] == [5]
    problems = [(verdict.problem or {}) for verdict in found.verdicts if verdict.outcome == "rejected"]
    assert all(f"an event has at most {MAX_BYTES:,}" in problem["detail"] for problem in problems[4:])
    assert [problem["pointer"] for problem in problems[:4]] == ["/data/to", "/specversion", "/source", "/time"]
    assert [fault["pointer"] for fault in problems[0]["errors"]] == ["/data/to", "/data/item"]

    first, second = found.orders
    assert (first.order, first.status, first.next_owner) == ("W-1", "in_transit", IMPORTER)
    assert [(told.kind, told.status) for told in first.told] == [("opened", "sent")]
    assert "Example" in first.told[0].subject
    assert (second.order, second.told) == ("W-2", ())
    assert list(tmp_path.iterdir()) == [], "something was left behind"  # noqa: ASYNC240 - a look at a folder


async def test_orders_that_the_file_takes_for_known_can_be_opened_for_the_test() -> None:
    events = [
        event("e1", "item.received", 2, source=IMPORTER),
        event("e2", "order.referenced", 2, source=IMPORTER, reference="RMA-1"),
        event("e3", "diagnosis.made", 3, order="RMA-1", source=IMPORTER, summary="worn"),
        event("e4", "party.closed", 3, order=IMPORTER, source=IMPORTER)
        | {"data": {"from": "2026-04-01T00:00:00Z", "until": "2026-04-02T00:00:00Z"}},
    ]
    with projectors_borrow():
        assert outcomes(await rehearse(IMPORTER, events, NOW)) == ["held", "held", "held", "accepted"]
        found = await rehearse(IMPORTER, events, NOW, open_missing=True)
    assert outcomes(found) == ["accepted"] * 4
    (order,) = found.orders
    assert (order.order, order.assumed, order.holder, order.status) == ("W-1", True, IMPORTER, "diagnosed")
    assert [told.kind for told in order.told] == ["opened", "received"]


async def test_who_is_no_party_cannot_be_tested() -> None:
    with pytest.raises(PartyError):
        await rehearse("acme", [{}], NOW)
