"""The teller at work in memory: log, contacts, claims and channels are ours, and each of them can break at any step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from events.clock import SimulatedClock
from events.envelope import Event
from events.log import Appended
from events.subjects import customer_key
from services.contact import Channel, Contact
from services.notices import Notice
from services.notifying.asking_together import Histories
from services.notifying.claims import Claims
from services.notifying.letter import Letter
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown
from services.notifying.sending import Sender
from services.notifying.telling import PLANNED, Teller
from services.notifying.waiting import AgainLaterError
from services.parties import PartyCard
from tests.services.notifying.chain import POLICY, SHOP

ATTEMPTED = "message.attempted"
CONTACT = Contact(name="Anna de Wit", language="nl", channels=(Channel(kind="email", address="anna@example.com"),))
CARDS = {SHOP: PartyCard(display_name="Juno Horloges", phone="020 1", email="service@juno.example")}


class Crash(Exception):
    """The process ends here."""


@dataclass
class Fuse:
    """Breaks at one step: before what it does, or right after. Steps are counted over all that the teller touches."""

    step: int = 0
    after: bool = False
    steps: int = 0

    async def guard(self, does: Callable[[], Any]) -> Any:
        self.steps += 1
        if self.steps == self.step and not self.after:
            raise Crash
        result = does()
        if self.steps == self.step and self.after:
            raise Crash
        return result

    @property
    def blown(self) -> bool:
        return 0 < self.step <= self.steps


@dataclass
class Entry:
    value: bytes | None
    revision: int | None


@dataclass
class Bucket:
    """A key-value bucket with revisions."""

    fuse: Fuse
    entries: dict[str, Entry] = field(default_factory=dict)

    async def create(self, key: str, value: bytes) -> int:
        return await self.update(key, value, last=0)

    async def update(self, key: str, value: bytes, last: int) -> int:
        def does() -> int:
            found = self.entries.get(key)
            if (found.revision if found else 0) != last:
                raise KeyWrongLastSequenceError
            self.entries[key] = Entry(value, last + 1)
            return last + 1

        return int(await self.fuse.guard(does))

    async def get(self, key: str) -> Entry:
        def does() -> Entry:
            if key not in self.entries:
                raise KeyNotFoundError
            return self.entries[key]

        found = await self.fuse.guard(does)
        assert isinstance(found, Entry)
        return found


@dataclass
class Letterbox:
    """A channel: what was sent through it, and what it answers. A ``forgiving`` one takes a letter twice as one."""

    fuse: Fuse
    forgiving: bool = False
    sent: list[Letter] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)
    attempts: int = 0

    def routes(self, contact: Contact, accountable: str) -> tuple[Channel, ...]:
        return tuple(channel for channel in contact.channels if channel.kind == "email")

    def ready_in(self, kind: str) -> float:
        return 0.0

    def repeats_harmlessly(self, kind: str) -> bool:
        return self.forgiving

    async def send(self, letter: Letter) -> Outcome:
        def does() -> Outcome:
            self.attempts += 1
            answer = self.answers.pop(0) if self.answers else Delivered()
            if isinstance(answer, Delivered) and not (
                self.forgiving and any(letter.message == other.message for other in self.sent)
            ):
                self.sent.append(letter)
            return answer

        outcome = await self.fuse.guard(does)
        assert isinstance(outcome, Delivered | Failed | Unknown)
        return outcome


class Desk:
    """One order's log with a teller at it. ``work`` handles the log as the durable consumer does, over crashes."""

    def __init__(self, *events: Event, forgiving: bool = False, contact: Contact | None = CONTACT) -> None:
        self.events = list(events)
        self.fuse = Fuse()
        self.box = Letterbox(self.fuse, forgiving)
        self.bucket = Bucket(self.fuse)
        self.contact = contact
        self.notices: list[tuple[str, Notice]] = []
        self.clock = SimulatedClock(max(event.recordedtime or event.time for event in events))
        self.handled = 0
        self.delays: list[float] = []

    # -- what the teller touches --------------------------------------------------------------------------------------

    async def append(self, event: Event) -> Appended:
        def does() -> Appended:
            self.events.append(event)
            return Appended(len(self.events), duplicate=False)

        appended = await self.fuse.guard(does)
        assert isinstance(appended, Appended)
        return appended

    async def last_position(self) -> int:
        return int(await self.fuse.guard(lambda: len(self.events)))

    async def last_position_of(self, order: str) -> int:
        return await self.last_position()

    async def find(self, key: str) -> Contact | None:
        found = await self.fuse.guard(lambda: self.contact if key == customer_key(SHOP, "C-77") else None)
        assert found is None or isinstance(found, Contact)
        return found

    async def notify(self, party: str, notice: Notice) -> None:
        await self.fuse.guard(lambda: self.notices.append((party, notice)))

    async def ask(self, name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        answer = await self.fuse.guard(lambda: self.answer(name))
        assert isinstance(answer, dict)
        return answer

    def answer(self, name: str) -> dict[str, Any]:
        return {"histories": {self.events[0].subject: self.timeline()}} if name == "histories" else {"closures": []}

    def timeline(self) -> dict[str, Any]:
        """What the read models say of facts as simple as these."""
        told: dict[str, dict[str, Any]] = {}
        for event in self.events:
            if event.name.startswith("message."):
                row = told.setdefault(event.data["message"], {"kind": event.data["kind"], "status": "planned"})
                if event.name not in (PLANNED, ATTEMPTED):
                    row["status"] = event.name.partition(".")[2]
                    row |= {name: event.data.get(name) for name in ("channel", "reason", "next_news_by")}
        return {
            "order": {
                "order_id": self.events[0].subject,
                "open": all(event.name != "order.closed" for event in self.events),
                "status": "taken_in",
                "holder": SHOP,
                "accountable": SHOP,
                "opened_by": SHOP,
                "customer": "C-77",
            },
            "entries": [
                {
                    "position": position,
                    "occurred_at": event.time.isoformat(),
                    "type": event.type,
                    "source": event.source,
                    "id": event.id,
                    "data": event.data,
                    "voided": False,
                }
                for position, event in enumerate(self.events, start=1)
            ],
            "commitments": [],
            "messages": [{"message_id": message, **row} for message, row in told.items()],
        }

    # -- work ---------------------------------------------------------------------------------------------------------

    def teller(self) -> Teller:
        """A new process: it remembers nothing."""
        sender = Sender(
            histories=Histories(self.ask, self.clock.now),
            log=self,
            contacts=self,
            claims=Claims(self.bucket, lease=0.0),
            delivery=self.box,
            notify=self.notify,
            cards=lambda: CARDS,
            clock=self.clock,
            policy=POLICY,
            retry_after=(5.0, 30.0),
            jitter=lambda: 1.0,
        )
        return Teller(
            ask=self.ask,
            log=self,
            contacts=self,
            delivery=self.box,
            cards=lambda: CARDS,
            clock=self.clock,
            policy=POLICY,
            sender=sender,
        )

    async def work(self) -> None:
        """Handle every fact of the log in order; what breaks comes again at once, what is put off when it is due."""
        teller = self.teller()
        while self.handled < len(self.events):
            try:
                await teller.handle(self.events[self.handled])
            except Crash:
                teller = self.teller()
                continue
            except AgainLaterError as later:
                self.delays.append(later.delay)
                self.clock.set(self.clock.now() + timedelta(seconds=later.delay))
                continue
            self.handled += 1

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    @property
    def outcomes(self) -> list[str]:
        """What became of the messages, in order: ``sent`` or a reason."""
        return [
            event.data.get("reason", event.name.partition(".")[2])
            for event in self.events
            if event.name.startswith("message.") and event.name not in (PLANNED, ATTEMPTED)
        ]
