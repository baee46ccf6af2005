"""A partner's sample file, played against a chain that is made for it and thrown away: what would happen to each event.

Real services on a real server, in a folder of their own: no setting, no policy and no data of the operator's chain is
read, and nobody is written to. Each event comes in at its own time, as far as that is not still to come.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg

from events.envelope import CONTENT_TYPE, MAX_BYTES, Event, full_type, iso
from events.party import check_party, name_of, role_of
from events.subjects import intake_subject, receipts_subject
from events.vocabulary import INCIDENT_FACTS, PARTY_FACTS
from services.publishing.flow import TOO_LARGE
from services.settings import Settings
from services.simulation import Simulation, simulate
from services.submission import Receipt

#: Nobody watches for what is late: that is about others than the partner, and about times that a sample leaves open.
_SERVICES: Final = ("projector", "retailer", "importer", "repairer", "notifier")
_RECEIPT_WITHIN: Final = 15.0  # seconds

#: Who opens the orders that the file takes for known, unless the partner itself takes in what customers bring.
_SHOP: Final = "retailer:shop"
_CONTACT: Final = {"language": "en", "channels": [{"kind": "email", "address": "customer@mail.example"}]}


@dataclass(frozen=True)
class Verdict:
    """What would become of the ``number``-th event of the file, the first being 1.

    ``waited``: it was held at first, and taken in once its order was known. ``problem`` is an RFC 9457 problem.
    """

    number: int
    id: str | None
    type: str | None
    subject: str | None
    outcome: str  # accepted, duplicate, held or rejected
    order: str | None = None
    position: int | None = None
    problem: dict[str, Any] | None = None
    waited: bool = False


@dataclass(frozen=True)
class Told:
    """A message to the customer; ``status`` is sent, or planned where it would wait for a decent hour, say."""

    kind: str
    subject: str
    status: str
    reason: str | None = None


@dataclass(frozen=True)
class OrderAfter:
    """An order when the whole file has been taken in. ``assumed``: it was opened for the test, not by the file.

    ``at_home``: it stays at the customer's home, whoever opened it.
    """

    order: str
    status: str
    holder: str | None
    at_home: bool
    next_step: str | None
    next_owner: str | None
    told: tuple[Told, ...]
    assumed: bool


@dataclass(frozen=True)
class Rehearsal:
    """What would happen to the file of ``party``."""

    party: str
    verdicts: tuple[Verdict, ...]
    orders: tuple[OrderAfter, ...]

    def count(self, outcome: str) -> int:
        """How many events end that way."""
        return sum(verdict.outcome == outcome for verdict in self.verdicts)


async def rehearse(
    party: str,
    documents: Sequence[dict[str, Any]],
    now: datetime,
    *,
    open_missing: bool = False,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Rehearsal:
    """Hand in ``documents`` one after the other as ``party``, on a chain of its own, and tell what comes of them.

    ``open_missing`` first opens every order that the file neither opens nor gives a number to. ``on_progress`` hears
    how many have been handed in. Raises PartyError for what is no partner, ServerError and SimulationError if the chain
    cannot run, OSError if there is no room for it.
    """
    check_party(party)
    missing = _missing(documents) if open_missing else []
    times = [min(moment, now) for each in documents if (moment := _time(each)) is not None]
    start = min(times, default=now) - timedelta(minutes=1)
    with TemporaryDirectory(prefix="repairchain-") as folder:
        parties = {each: {"display_name": name_of(each)} for each in dict.fromkeys((party, _opener(party)))}
        async with simulate(_settings(Path(folder)), start, parties, _SERVICES) as chain:
            await _open(chain, _opener(party), missing, start)
            async with _listening(chain, party) as desk:
                verdicts = []
                for number, document in enumerate(documents, start=1):
                    moment = _time(document)
                    if moment is not None:
                        chain.clock.set(max(chain.clock.now(), min(moment, now)))
                    verdicts.append(await desk.hand_in(number, document))
                    on_progress(number)
                verdicts = desk.after_all(verdicts)
            touched = dict.fromkeys([*missing, *(verdict.order for verdict in verdicts if verdict.order)])
            rows = {row["order_id"]: row for row in (await chain.ask("orders", {"limit": 100_000}))["orders"]}
            # What a party says of itself has no order.
            orders = [await _order(chain, rows[each], each in missing) for each in touched if each in rows]
    return Rehearsal(party, tuple(verdicts), tuple(orders))


class _Desk:
    """Hands in as one party, on the operator's connection: exactly what the file holds, also what is wrong."""

    def __init__(self, chain: Simulation, party: str) -> None:
        self._chain = chain
        self._party = party
        self._heard: list[Receipt] = []
        self._places: set[int] = set()
        self._came = asyncio.Event()

    async def hear(self, message: Msg) -> None:
        self._heard += [Receipt.from_json(raw) for raw in json.loads(message.data)["receipts"]]
        self._came.set()

    async def hand_in(self, number: int, document: dict[str, Any]) -> Verdict:
        verdict = Verdict(
            number, _text(document, "id"), _text(document, "type"), _text(document, "subject"), "rejected"
        )
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
        try:
            ack = await self._chain.operator.jetstream().publish(
                intake_subject(self._party), body, headers={"Content-Type": CONTENT_TYPE}
            )
        except (nats.errors.MaxPayloadError, nats.js.errors.BadRequestError) as error:
            if isinstance(error, nats.js.errors.BadRequestError) and error.err_code != TOO_LARGE:
                raise
            detail = f"it has {len(body):,} bytes, and an event has at most {MAX_BYTES:,}"
            return replace(verdict, problem={"title": "The server takes no message of this size", "detail": detail})
        self._places.add(ack.seq)
        async with asyncio.timeout(_RECEIPT_WITHIN):
            while (found := next((each for each in self._heard if each.sequence == ack.seq), None)) is None:
                self._came.clear()
                await self._came.wait()
        await self._chain.settle()
        return replace(
            verdict, outcome=found.outcome, order=found.order, position=found.position, problem=found.problem
        )

    def after_all(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """The verdicts with what became of those that were held: that has a receipt of its own."""
        later = {each.id: each for each in self._heard if each.sequence not in self._places and each.outcome != "held"}
        return [
            replace(
                each,
                outcome=found.outcome,
                order=found.order,
                position=found.position,
                problem=found.problem,
                waited=True,
            )
            if each.outcome == "held" and (found := later.get(each.id)) is not None
            else each
            for each in verdicts
        ]


@asynccontextmanager
async def _listening(chain: Simulation, party: str) -> AsyncIterator[_Desk]:
    desk = _Desk(chain, party)
    subscription = await chain.operator.subscribe(receipts_subject(party), cb=desk.hear)
    await chain.operator.flush()
    try:
        yield desk
    finally:
        await subscription.unsubscribe()


def _settings(home: Path) -> Settings:
    """As they are by default: neither files nor the environment are looked at, for they may name a mail server.

    But what waits for its order is still held at the end, and not rejected by then.
    """
    return Settings.model_construct(
        home=home, nats_port=0, email_url="outbox://", channels={}, daily_list=False, held_days=36_500.0
    )


def _text(document: dict[str, Any], field: str) -> str | None:
    value = document.get(field)
    return value if isinstance(value, str) else None


def _time(document: dict[str, Any]) -> datetime | None:
    """When it happened, if that can be read."""
    try:
        return Event.model_validate(document | {"id": "x", "source": _SHOP, "subject": "x", "data": {}}).time
    except ValueError:
        return None


def _missing(documents: Iterable[dict[str, Any]]) -> list[str]:
    """The orders that are spoken of, and neither opened nor given a number by this file, in their order."""
    known: set[str] = set()
    spoken: dict[str, None] = {}
    for document in documents:
        name = str(document.get("type", "")).removeprefix("repairchain.").rpartition(".v")[0]
        subject, data = document.get("subject"), document.get("data")
        if not isinstance(subject, str) or name in PARTY_FACTS | INCIDENT_FACTS or subject == document.get("source"):
            continue
        spoken[subject] = None
        if name == "order.opened":
            known.add(subject)
        if name == "order.referenced" and isinstance(data, dict) and isinstance(data.get("reference"), str):
            known.add(data["reference"])
    return [order for order in spoken if order not in known]


def _opener(party: str) -> str:
    return party if role_of(party) == "retailer" else _SHOP


async def _open(chain: Simulation, opener: str, orders: Iterable[str], moment: datetime) -> None:
    for number, order in enumerate(orders):
        await chain.say(
            {
                "specversion": "1.0",
                "id": f"opened-for-the-test-{number}",
                "source": opener,
                "type": full_type("order.opened", 1),
                "subject": order,
                "time": iso(moment),
                "data": {"customer": f"customer-{number}", "product": {}, "contact": _CONTACT},
            }
        )


async def _order(chain: Simulation, row: dict[str, Any], assumed: bool) -> OrderAfter:
    told = (await chain.ask("messages", {"order": row["order_id"]}))["messages"]
    return OrderAfter(
        row["order_id"],
        row["status"],
        row["holder"],
        row["at_home"],
        row["next_step"],
        row["next_owner"],
        tuple(Told(each["kind"], each["subject"], each["status"], each.get("reason")) for each in told),
        assumed,
    )
