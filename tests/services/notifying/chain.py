"""A chain small enough for a test: a log in memory, the real read models over it, and the watch that goes round.

``given`` says what happened, ``plan_for`` and ``verdict_on`` what the decisions make of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from events.chain import MessagePlanned
from events.clock import SimulatedClock
from events.envelope import Event, make_event
from events.log import Appended
from events.party import NOTIFIER, WATCHDOG
from projections.database import Database
from projections.policy import DEFAULT_POLICY
from projections.queries.runner import run
from services.messages import TRIGGERS, concerns_her, decide_delivery, decide_plan
from services.notifying.newsworthy import MILESTONES
from services.notifying.records import Closure, MessagePlan, MessagePolicy, PlannedMessage, Send, Suppress
from services.notifying.wording import compose
from services.parties import PartyCard

#: What the read models have answered, as it is sent: many tests begin with the same facts, and the same facts give the
#: same answer.
_answers: dict[tuple[str, str, tuple[bytes, ...]], bytes] = {}

SHOP, IMPORTER, REPAIRER = "retailer:juno", "importer:noord", "repairer:tick"
ORDER = "W-1001"
MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: So long progress waits for what else there may be to tell.
PATIENCE = DEFAULT_POLICY.messages.patience
POLICY = MessagePolicy()
CARDS = {SHOP: PartyCard(display_name="Juno Watches", phone="020 1", email="service@juno.example")}


def fact(name: str, source: str, at: datetime, id: str = "", recorded: datetime | None = None, **data: Any) -> Event:
    """One fact about the watch. Its id says what and when, unless told otherwise."""
    return make_event(
        name,
        source=source,
        id=id or f"{name}@{at:%d-%H%M}",
        subject=ORDER,
        time=at,
        recordedtime=recorded or at,
        data={key.rstrip("_"): value for key, value in data.items()},
    )


def opened(at: datetime = MONDAY, customer: str | None = "C-77", **data: Any) -> Event:
    product = data.pop("product", {"brand": "Halden", "model": "Meridian", "serial": "HM-20417"})
    if customer:
        data["customer"] = customer
    return fact("order.opened", SHOP, at, product=product, **data)


def handed(by: str, to: str, at: datetime, **data: Any) -> Event:
    return fact("item.handed_over", by, at, to=to, **data)


def received(by: str, at: datetime, **data: Any) -> Event:
    return fact("item.received", by, at, **data)


def corrected(wrong: Event, at: datetime, id: str = "", **data: Any) -> Event:
    """Whoever said ``wrong`` takes it back."""
    return fact("fact.corrected", wrong.source, at, id=id, fact_id=wrong.id, **{"reason": "did_not_occur", **data})


def body_of(plan: MessagePlan | None, language: str = "en") -> str:
    """What she reads, up to the line on how to reach us."""
    assert plan is not None
    return compose(plan, CARDS, language).body


def kind_of(plan: MessagePlan | None) -> str | None:
    return plan.kind if plan else None


def closed(at: datetime, outcome: str = "repaired") -> Event:
    return fact("order.closed", SHOP, at, outcome=outcome)


# The watch's way out and home.
OPENED = opened()
TO_IMPORTER = handed(SHOP, IMPORTER, MONDAY + HOUR)
AT_IMPORTER = received(IMPORTER, MONDAY + DAY)
TO_REPAIRER = handed(IMPORTER, REPAIRER, MONDAY + DAY + HOUR)
AT_REPAIRER = received(REPAIRER, MONDAY + 2 * DAY)
QUOTE = fact("quote.offered", REPAIRER, MONDAY + 2 * DAY + HOUR, quote="q1", amount="85.00", currency="EUR")
COMPLETED = fact("repair.completed", REPAIRER, MONDAY + 3 * DAY)
FAILED = fact(
    "repair.failed", REPAIRER, MONDAY + 3 * DAY, why="the part cannot be had", options=["refund", "return_as_is"]
)
HOMEWARD = handed(REPAIRER, SHOP, MONDAY + 3 * DAY + HOUR)
HOME = received(SHOP, MONDAY + 4 * DAY)


def as_planned(plan: MessagePlan) -> MessagePlanned:
    """What the log holds of ``plan``, whatever its words are."""
    return MessagePlanned(
        message=plan.message,
        kind=plan.kind,
        trigger_source=plan.trigger_source,
        trigger_id=plan.trigger_id,
        language="en",
        channel="email",
        subject="…",
        body="…",
        next_news_by=plan.next_news_by,
        corrects=plan.corrects or None,
    )


class Chain:
    """The log, the read models, and a clock that stands at the newest fact."""

    def __init__(self, database: Database) -> None:
        self.events: list[Event] = []
        self.clock = SimulatedClock(MONDAY - DAY)
        self._database = database

    # -- the log: no deduplication, as long after JetStream has forgotten ---------------------------------------------

    async def append(self, event: Event) -> Appended:
        return Appended(self.add(event), duplicate=False)

    async def last_position(self) -> int:
        return len(self.events)

    async def last_position_of(self, order: str) -> int:
        return len(self.events)

    def add(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events)

    def given(self, *events: Event) -> Chain:
        """These facts were recorded, one after the other."""
        self.events += events
        self.clock.set(max(self.clock.now(), *(event.recordedtime or event.time for event in events)))
        return self

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    # -- the queries --------------------------------------------------------------------------------------------------

    async def ask(self, name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        assert at_least is None or at_least <= len(self.events)
        # By whose clock is asked, the notifier's wiring adds to each question.
        return self.query(name, {"now": self.clock.now().isoformat(), **args} if name == "closures" else args)

    def query(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        log = tuple(event.to_json() for event in self.events)
        asked = (name, json.dumps(args, sort_keys=True), log)
        if asked not in _answers:
            behind = self._database.position
            self._database.apply(list(enumerate(log[behind:], start=behind + 1)))
            _answers[asked] = orjson.dumps(run(self._database, name, args))
        answer: dict[str, Any] = orjson.loads(_answers[asked])
        return answer

    @property
    def timeline(self) -> dict[str, Any]:
        return self.query("timeline", {"order": ORDER, "raw": True})

    # -- the decisions ------------------------------------------------------------------------------------------------

    def plan_for(
        self, trigger: Event, now: datetime | None = None, closures: Sequence[Closure] = ()
    ) -> MessagePlan | None:
        return decide_plan(trigger, self.timeline, POLICY, now or self.clock.now(), closures)

    def planned(self, trigger: Event, now: datetime | None = None) -> PlannedMessage:
        """Plan what ``trigger`` causes, and record the plan."""
        plan = self.plan_for(trigger, now)
        assert plan is not None
        return self.record(plan)

    def record(self, plan: MessagePlan) -> PlannedMessage:
        data = as_planned(plan)
        self.add(self._ours("message.planned", f"planned:{plan.message}", plan.now, data.model_dump(mode="json")))
        return PlannedMessage(plan.order, data)

    def sent(self, message: PlannedMessage, at: datetime | None = None, letter: str | None = None) -> None:
        """Record that ``message`` was sent, in the ``letter`` of another one or in its own."""
        planned = message.planned
        data = planned.model_dump(mode="json", exclude={"trigger_source", "trigger_id", "corrects"})
        data["letter"] = letter
        self.add(self._ours("message.sent", f"outcome:{message.message}", at or self.clock.now(), data))

    def told(self, trigger: Event, now: datetime | None = None, named: datetime | None = None) -> PlannedMessage:
        """Plan and send what ``trigger`` causes, with the date ``named`` if not that of a routine order."""
        plan = self.plan_for(trigger, now)
        assert plan is not None
        message = self.record(replace(plan, next_news_by=named) if named is not None else plan)
        self.sent(message, now)
        return message

    def tell(self, event: Event) -> str | None:
        """Record ``event``, tell what it causes, and return the kind of message that it was."""
        self.given(event)
        plan = self.plan_for(event) if event.name in TRIGGERS else None
        if plan is None:
            return None
        self.sent(self.record(plan))
        return plan.kind

    def story(self, *events: Event) -> None:
        """These facts were recorded, and of what is news among them she was told the latest."""
        telling = [number for number, event in enumerate(events) if event.name in MILESTONES and concerns_her(event)]
        last = telling[-1] if telling else 0
        self.given(*events[: last + 1])
        if telling:
            self.told(events[last])
        if events[last + 1 :]:
            self.given(*events[last + 1 :])

    def verdict_on(self, message: PlannedMessage, now: datetime | None = None) -> Send | Suppress:
        return decide_delivery(message, self.timeline, POLICY, now or self.clock.now())

    def falls_overdue(self, kind: str, now: datetime, level: int = 1) -> list[Event]:
        """Note every open commitment of ``kind`` that is overdue at ``now``, as the watchdog does."""
        self.clock.set(max(now, self.clock.now()))
        noted = []
        for row in self.query("stalled", {"now": now.isoformat()})["stalled"]:
            if row["kind"] == kind:
                data = {
                    "commitment": row["commitment_id"],
                    "kind": kind,
                    "level": level,
                    "owed_by": row["owner"],
                    "due": row["due_at"],
                }
                event = make_event(
                    "commitment.overdue",
                    source=WATCHDOG,
                    id=f"overdue:{row['commitment_id']}:{level}",
                    subject=ORDER,
                    time=now,
                    recordedtime=now,
                    data=data,
                )
                self.add(event)
                noted.append(event)
        return noted

    def _ours(self, name: str, id: str, at: datetime, data: dict[str, Any]) -> Event:
        given = {key: value for key, value in data.items() if value is not None}
        return make_event(name, source=NOTIFIER, id=id, subject=ORDER, time=at, recordedtime=at, data=given)
