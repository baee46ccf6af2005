"""Made-up logs: facts about a few orders in any order, some of them twice, some taken back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from events.chain import commitment_id
from events.envelope import Event, make_event
from events.party import POLICY
from projections.policy import Policy
from tests.projections.story import BENCH, IMPORTER, NOTIFIER, SHOP, messages_of

PARTIES = [SHOP, IMPORTER, BENCH]

ORDERS = ["W-1", "W-2", "W-3"]

START = datetime(2026, 3, 2, 8, tzinfo=UTC)

SOON = "2026-03-05T16:00:00Z"

DIRECTIONS = ["inbound", "outbound"]

LATER = "2026-03-07T16:00:00Z"

POLICIES = [
    Policy.parse('[allow]\nreceive = "3 hours"'),
    Policy.parse('[[override]]\nrole = "importer"\nkind = "all"\nallow = "1 day"'),
]


def _noted(data: st.DataObject) -> dict[str, Any]:
    kind, order = data.draw(st.sampled_from(["receive", "repair", "forward"])), data.draw(st.sampled_from(ORDERS))
    source, id = data.draw(st.sampled_from(PARTIES)), f"f{data.draw(st.integers(0, 29))}"
    return {"commitment": commitment_id(kind, order, source, id), "kind": kind, "owed_by": IMPORTER, "due": SOON}


#: What may be said, with data that fits.
SAYINGS: list[tuple[str, Callable[[st.DataObject], dict[str, Any]]]] = [
    ("order.opened", lambda d: {"product": {"serial": d.draw(st.sampled_from(["S-1", "S-2"]))}, "customer": "C-1"}),
    ("order.opened", lambda d: {"product": {}, "accountable": d.draw(st.sampled_from(PARTIES))}),
    ("order.opened", lambda d: {"product": {}, "items": [{"item": "a", "serial": "S-1"}, {"item": "b"}]}),
    ("order.referenced", lambda d: {"reference": d.draw(st.sampled_from(["R-1", "R-2"]))}),
    ("item.handed_over", lambda d: {"to": d.draw(st.sampled_from(PARTIES))}),
    ("item.handed_over", lambda d: {"to": d.draw(st.sampled_from(PARTIES)), "item": d.draw(st.sampled_from("ab"))}),
    ("item.received", lambda d: {}),
    ("item.received", lambda d: {"item": d.draw(st.sampled_from("ab"))}),
    ("item.returned", lambda d: {}),
    ("order.closed", lambda d: {"outcome": "repaired"}),
    ("order.reopened", lambda d: {}),
    ("order.merged", lambda d: {"into": d.draw(st.sampled_from(ORDERS))}),
    ("order.merged", lambda d: {"into": d.draw(st.sampled_from(ORDERS))}),
    ("order.unmerged", lambda d: {}),
    ("repair.completed", lambda d: {}),
    ("repair.completed", lambda d: {"item": d.draw(st.sampled_from("ab"))}),
    ("unit.replaced", lambda d: {"item": d.draw(st.sampled_from("ab")), "old_serial": "S-1", "new_serial": "S-2"}),
    ("work.paused", lambda d: {"waiting_for": d.draw(st.sampled_from(["customer", "part", "retailer", "importer"]))}),
    ("work.resumed", lambda d: {}),
    ("customer.contacted", lambda d: {"channel": "phone", "direction": d.draw(st.sampled_from(DIRECTIONS))}),
    ("message.sent", lambda d: {"message": d.draw(st.sampled_from("mn")), "kind": "received", "next_news_by": SOON}),
    ("message.failed", lambda d: {"message": d.draw(st.sampled_from("mn")), "kind": "received", "reason": "full"}),
    ("fact.corrected", lambda d: {"fact_id": f"f{d.draw(st.integers(0, 29))}", "reason": "did_not_occur"}),
    ("future.thing", lambda d: {"to": IMPORTER}),
    ("diagnosis.made", lambda d: {"summary": "worn"}),
    ("quote.offered", lambda d: {"quote": "q", "amount": "9.00", "currency": "EUR", "valid_until": SOON}),
    ("quote.accepted", lambda d: {}),
    ("quote.declined", lambda d: {}),
    ("part.ordered", lambda d: {"part": d.draw(st.sampled_from("ab")), "expected_by": SOON}),
    ("part.arrived", lambda d: {"part": d.draw(st.sampled_from("ab"))}),
    ("repair.started", lambda d: {"expected_by": SOON}),
    ("repair.started", lambda d: {"expected_by": LATER, "item": d.draw(st.sampled_from("ab"))}),
    ("repair.failed", lambda d: {"why": "gone"}),
    ("question.asked", lambda d: {"question": "q", "text": "?", "to": d.draw(st.sampled_from([*PARTIES, "customer"]))}),
    ("question.answered", lambda d: {"question": "q", "text": "!"}),
    ("visit.scheduled", lambda d: {"visit": "v", "from": SOON, "until": LATER}),
    ("visit.done", lambda d: {"visit": "v"}),
    ("promise.made", lambda d: {"promise": "p", "what": "done", "by_when": d.draw(st.sampled_from([SOON, LATER]))}),
    ("promise.moved", lambda d: {"promise": "p", "reason": "late", "by_when": LATER}),
    ("cover.claimed", lambda d: {"decider": d.draw(st.sampled_from(PARTIES))}),
    ("feedback.given", lambda d: {"holds": True}),
    ("commitment.overdue", lambda d: _noted(d) | {"level": d.draw(st.integers(1, 3))}),
    ("commitment.nudged", lambda d: _noted(d)),
    ("policy.adopted", lambda d: {}),
    ("party.closed", lambda d: {}),
]  # fmt: skip


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """Facts of three orders, some of them twice, some taken back, with closures and unknown ones in between."""
    data = draw(st.data())
    facts = []
    for number in range(draw(st.integers(1, 30))):
        name, make = draw(st.sampled_from(SAYINGS))
        source = NOTIFIER if name.startswith("message.") else draw(st.sampled_from([*PARTIES, "chain:desk"]))
        order = draw(st.sampled_from(ORDERS))
        moment = START + timedelta(hours=draw(st.integers(0, 200)))
        said = make(data)
        if name == "party.closed" or (name == "fact.corrected" and draw(st.booleans())):
            order = source = draw(st.sampled_from(PARTIES))
        if name == "party.closed":
            said = {"from": moment.isoformat(), "until": (moment + timedelta(days=draw(st.integers(1, 9)))).isoformat()}
        if name == "policy.adopted":
            order, policy = POLICY, draw(st.sampled_from(POLICIES))
            said = {"digest": policy.digest, "policy": policy.canonical()}
        if name == "fact.corrected" and source == "chain:desk":
            said["fact_source"] = draw(st.sampled_from(PARTIES))
        facts.append(
            make_event(
                name,
                source=source,
                id=f"f{draw(st.integers(0, number))}",
                subject=order,
                time=moment,
                recordedtime=START + timedelta(hours=draw(st.integers(0, 200))),
                data=said,
            )
        )
    return facts


def cut(facts: list[Event], cuts: set[int]) -> list[list[tuple[int, bytes]]]:
    messages = messages_of(facts)
    edges = [0, *sorted(at for at in cuts if at < len(messages)), len(messages)]
    return [messages[begin:end] for begin, end in itertools.pairwise(edges) if end > begin]
