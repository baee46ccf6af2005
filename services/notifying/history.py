"""An order's history as the decisions read it: the answer of the query ``timeline``, in types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from events.envelope import TYPE_PREFIX, split_type
from projections.policies.words import is_hurried

_CUSTODY = frozenset({"item.handed_over", "item.received"})
MOVES: Final = _CUSTODY | {"item.returned"}

#: What a fact makes of the thing that it is about, as statuses.sql has it for the order.
STATUS_OF_FACT: Final = {
    "order.opened": "taken_in",
    "item.handed_over": "in_transit",
    "item.received": "received",
    "diagnosis.made": "diagnosed",
    "quote.offered": "waiting_for_approval",
    "quote.accepted": "approved",
    "quote.declined": "quote_declined",
    "part.ordered": "waiting_for_part",
    "part.rejected": "waiting_for_part",
    "part.arrived": "part_arrived",
    "repair.started": "in_repair",
    "repair.completed": "repaired",
    "unit.replaced": "replaced",
    "repair.failed": "repair_failed",
    "item.returned": "returned",
    "order.reopened": "reopened",
}

#: What whoever has a thing in hand owes by that.
_OWED_BY_MOVES: Final = frozenset({"receive", "forward", "diagnose", "return"})


@dataclass(frozen=True)
class Happened:
    """One fact that stands (not voided). ``at`` is when it happened.

    ``said_of`` is the order that it names, where that is one that became part of this one.
    """

    position: int
    at: datetime
    source: str
    id: str
    name: str
    data: Mapping[str, Any]
    said_of: str | None = None

    @property
    def place_in_time(self) -> tuple[datetime, int]:
        """Facts are read in the order in which they happened; ties in the order in which they were recorded."""
        return self.at, self.position

    @property
    def item(self) -> str | None:
        """Which of several items it is about; None: the order as a whole."""
        return self.data.get("item")


@dataclass(frozen=True)
class Owed:
    """One commitment."""

    id: str
    kind: str
    owner: str
    owed_to: str
    #: open, met, cancelled, or paused while its time stands still
    state: str
    opened_at: datetime
    #: None while it is paused
    due_at: datetime | None
    #: What tells several of a kind apart: of the work, which of several things it is owed of.
    topic: str | None = None


@dataclass(frozen=True)
class Told:
    """One message and its fate: planned, sent, failed or suppressed.

    ``position`` is that of its plan: what was recorded before it had been weighed. ``cause`` is the (source, id) of the
    fact that it tells; ``corrects`` are the messages that it takes back; ``at`` is when it was sent, ``letter`` the
    message in whose letter that was (None: its own), and ``next_news_by`` the date of further news that it named.
    """

    id: str
    kind: str
    status: str
    position: int = 0
    cause: tuple[str, str] = ("", "")
    corrects: tuple[str, ...] = ()
    at: datetime | None = None
    letter: str | None = None
    next_news_by: datetime | None = None


@dataclass(frozen=True)
class History:
    """Everything known about one order. ``facts`` are in the order in which they happened; ``voided`` do not count."""

    order: str
    open: bool
    status: str
    holder: str | None
    accountable: str
    opener: str
    customer: str | None
    facts: tuple[Happened, ...]
    owed: tuple[Owed, ...] = ()
    told: tuple[Told, ...] = ()
    voided: tuple[Happened, ...] = ()
    outcome: str | None = None
    urgency: str | None = None
    hidden: str | None = field(default=None, compare=False)
    #: The orders that became part of this one.
    merged: tuple[str, ...] = ()

    @classmethod
    def of(cls, timeline: Mapping[str, Any]) -> History:
        """Read the result of the query ``timeline``, asked with ``raw``: what was taken back matters, too."""
        order = timeline["order"]
        facts = [_happened(entry) for entry in timeline["entries"] if not entry.get("voided")]
        voided = [_happened(entry) for entry in timeline["entries"] if entry.get("voided")]
        opener = order.get("opened_by") or ""
        owed = [_owed(row) for row in timeline.get("commitments", ())]
        gone = _moves_of_replaced_units(facts)
        if gone:
            facts = [fact for fact in facts if fact not in gone]
            moments = {fact.at for fact in gone}
            owed = [each for each in owed if each.kind not in _OWED_BY_MOVES or each.opened_at not in moments]
        return cls(
            order=order["order_id"],
            open=bool(order["open"]),
            status=order["status"],
            holder=order.get("holder"),
            accountable=order.get("accountable") or opener,
            opener=opener,
            customer=order.get("customer"),
            facts=tuple(sorted(facts, key=lambda fact: fact.place_in_time)),
            owed=tuple(owed),
            told=_told(timeline.get("messages", ()), facts),
            voided=tuple(voided),
            outcome=order.get("outcome"),
            urgency=order.get("urgency"),
            merged=tuple(order.get("merged") or ()),
        )

    def without(self, message: str) -> History:
        """The same history as if ``message`` had not been planned."""
        return replace(self, told=tuple(told for told in self.told if told.id != message), hidden=message)

    def named_by(self, fact: Happened) -> str:
        """The id of the order that ``fact`` names: what was told of it keeps its id, whatever became one since then."""
        return fact.said_of or self.order

    def find(self, source: str, id: str) -> Happened | None:
        """The fact that is known by (source, id), if it stands."""
        return next((fact for fact in self.facts if fact.source == source and fact.id == id), None)

    def origin(self, fact: Happened) -> Happened:
        """The fact that ``fact`` says anew, where a correction put right no more than its time; else itself.

        Nobody need hear the same thing twice because a clock was wrong.
        """
        for correction in self.facts:
            if (
                correction.name == "fact.corrected"
                and correction.source == fact.source
                and fact.id in correction.data.get("replaced_by", ())
            ):
                for wrong in self.voided:
                    if (wrong.source, wrong.id) != (fact.source, correction.data.get("fact_id")):
                        continue
                    if wrong.name == fact.name and wrong.data == fact.data and wrong.position < fact.position:
                        return self.origin(wrong)
        return fact

    @property
    def is_hurried(self) -> bool:
        """Whether its clocks run day and night."""
        return is_hurried(self.urgency)

    @property
    def has_travelled(self) -> bool:
        """Whether the item ever went from hand to hand."""
        return any(fact.name in _CUSTODY for fact in self.facts)

    @property
    def named(self) -> datetime | None:
        """The date of further news in the last letter that she got; None if that was to be the last one."""
        last = max(
            self.sent, key=lambda told: (told.at or datetime.min.replace(tzinfo=UTC), told.position), default=None
        )
        return last.next_news_by if last is not None else None

    @property
    def sent(self) -> tuple[Told, ...]:
        """The messages that she got, in the order in which they were planned."""
        return tuple(sorted((told for told in self.told if told.status == "sent"), key=lambda told: told.position))

    def status_of(self, message: str) -> str | None:
        """What became of ``message``; None if it was never planned."""
        return next((told.status for told in self.told if told.id == message), None)

    def commitment(self, id: str) -> Owed | None:
        return next((owed for owed in self.owed if owed.id == id), None)

    def this_round(self) -> tuple[Happened, ...]:
        """The facts since the order was last reopened: what was true before that is not news of this round."""
        reopened = [number for number, fact in enumerate(self.facts) if fact.name == "order.reopened"]
        return self.facts[reopened[-1] :] if reopened else self.facts

    def custody_before(self, fact: Happened) -> Happened | None:
        """The last handover or receipt of the same item before ``fact``."""
        earlier = [
            other
            for other in self.facts
            if other.name in _CUSTODY and other.item == fact.item and other.place_in_time < fact.place_in_time
        ]
        return earlier[-1] if earlier else None

    @property
    def last_planned(self) -> int:
        """Position of the newest message.planned: what was recorded before it has been weighed."""
        return max(
            (
                fact.position
                for fact in self.facts
                if fact.name == "message.planned" and fact.data.get("message") != self.hidden
            ),
            default=0,
        )

    @property
    def pending(self) -> tuple[Told, ...]:
        """Messages that were planned and have no outcome yet."""
        return tuple(told for told in self.told if told.status == "planned")

    @property
    def parties(self) -> frozenset[str]:
        """Everybody that the facts mention, by id (a supplier by name)."""
        found = {self.opener, self.accountable, *(fact.source for fact in self.facts)}
        for fact in self.facts:
            found.update(
                str(fact.data[key]) for key in ("to", "from", "who", "supplier", "decider") if fact.data.get(key)
            )
        return frozenset(found)


def moment(value: Any) -> datetime:
    """A moment of a query's answer (ISO 8601 with a zone)."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _happened(entry: Mapping[str, Any]) -> Happened:
    name = str(entry["type"])
    return Happened(
        position=entry["position"],
        at=moment(entry["occurred_at"]),
        source=entry["source"],
        id=entry["id"],
        name=split_type(name)[0] if name.startswith(TYPE_PREFIX) else name,
        data=entry["data"] or {},
        said_of=entry.get("said_of"),
    )


def _moves_of_replaced_units(facts: Sequence[Happened]) -> list[Happened]:
    """Where a unit went whose place another one had taken: that is for the chain, and she does not wait for it."""
    out: set[object] = set()
    gone = []
    for fact in sorted(facts, key=lambda fact: fact.place_in_time):
        if fact.name == "unit.replaced":
            out.add(fact.data.get("old_serial"))
            out -= {fact.data.get("new_serial"), None}
        elif fact.name in MOVES and fact.item in out:
            gone.append(fact)
    return gone


def _told(rows: Sequence[Mapping[str, Any]], facts: Sequence[Happened]) -> tuple[Told, ...]:
    plans = {fact.data.get("message"): fact for fact in facts if fact.name == "message.planned"}
    sent = {fact.data.get("message"): fact for fact in facts if fact.name == "message.sent"}
    told = []
    for row in rows:
        message, plan = row["message_id"], plans.get(row["message_id"])
        said: Mapping[str, Any] = plan.data if plan is not None else {}
        left = sent.get(message)
        named = left.data.get("next_news_by") if left is not None else None
        told.append(
            Told(
                id=message,
                kind=row["kind"],
                status=row["status"],
                position=plan.position if plan is not None else 0,
                cause=(said.get("trigger_source", ""), said.get("trigger_id", "")),
                corrects=tuple(said.get("corrects") or ()),
                at=left.at if left is not None else None,
                letter=left.data.get("letter") if left is not None else None,
                next_news_by=moment(named) if named else None,
            )
        )
    return tuple(told)


def _owed(row: Mapping[str, Any]) -> Owed:
    return Owed(
        id=row["commitment_id"],
        kind=row["kind"],
        owner=row["owner"],
        owed_to=row["owed_to"],
        state=row["state"],
        opened_at=moment(row["opened_at"]),
        due_at=moment(row["due_at"]) if row["due_at"] else None,
        topic=row.get("topic") or None,
    )
