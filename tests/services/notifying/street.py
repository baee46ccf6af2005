"""The notifier on a real server, over a log whose read models are made in memory."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from events import log, names
from events.clock import SimulatedClock
from events.envelope import Event
from events.tail import read_until
from services.answering import NoAnswerError, TooLargeError
from services.credentials import credential
from services.delivery import AppriseDelivery, Delivery
from services.notifier import Notifier
from services.rights import inbox_prefix
from services.wiring import security_of
from tests.chainserver import ChainServer
from tests.logged import read_order
from tests.services.notifying.chain import MONDAY, ORDER, PATIENCE, Chain
from tests.services.notifying.desk import CARDS
from tests.waiting import eventually

GARBAGE = b"\xff not an event"


class Street:
    """A server with a log, the read models over that log, and a notifier that may come and go."""

    def __init__(self, server: ChainServer, js: JetStreamContext, chain: Chain, outbox: Path) -> None:
        self.server, self.js, self.chain, self.outbox = server, js, chain, outbox
        self.clock = SimulatedClock(MONDAY)
        self.trouble = 0
        self.too_large = False
        self.asked = 0

    def notifier(self, delivery: Delivery | None = None, **options: Any) -> Notifier:
        secret = credential(self.server.home, "notifier")
        broker = NatsBroker(
            self.server.url,
            inbox_prefix=inbox_prefix("notifier"),
            security=security_of(secret),
            apply_types=False,
            logger=logging.getLogger("faststream.test"),
            log_level=logging.DEBUG,
            max_reconnect_attempts=-1,
        )
        delivery = delivery or AppriseDelivery("outbox://", outbox=self.outbox, sender="repairs@chain.example")
        return Notifier(broker, self.clock, self.ask, delivery, lambda: CARDS, **options)

    @asynccontextmanager
    async def notifying(self, delivery: Delivery | None = None, **options: Any) -> AsyncIterator[Notifier]:
        notifier = self.notifier(delivery, **options)
        await notifier.start()
        try:
            yield notifier
        finally:
            await notifier.stop()

    async def ask(self, name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        self.asked += name != "pending"  # which is asked once a minute, whatever there is
        if name == "histories" and self.too_large:
            raise TooLargeError("the answer does not fit into a message")
        if self.trouble:
            self.trouble -= 1
            raise NoAnswerError("the projector does not run")
        end = await log.last_position(self.js)
        stored = [payload async for batch in read_until(self.js, end) for _, payload in batch]
        self.chain.events = [Event.from_json(payload) for payload in stored if payload != GARBAGE]
        return self.chain.query(name, args)

    async def said(self, *events: Event) -> None:
        for event in events:
            await log.append(self.js, event)

    async def events(self, name: str) -> list[Event]:
        return [stored.event for stored in await read_order(self.js, ORDER) if stored.event.name == name]

    async def quiet(self) -> None:
        """Wait until the notifier has nothing left to do, and the log has not grown since."""
        seen = -1

        async def idle() -> bool:
            nonlocal seen
            before, seen = seen, await log.last_position(self.js)
            info = await self.js.consumer_info(names.REPAIRS, names.NOTIFIER_DURABLE)
            return before == seen and not info.num_pending and not info.num_ack_pending

        await eventually(idle)

    async def waited(self, notifier: Notifier) -> None:
        """As ``quiet``, and until what waits a few minutes for more to tell has been told."""
        await self.quiet()
        self.clock.set(self.clock.now() + PATIENCE)
        await notifier.round()
        await self.quiet()

    @property
    def letters(self) -> list[str]:
        """Subjects of the letters in the outbox."""
        files = self.outbox.glob("*.eml") if self.outbox.exists() else []
        return sorted(str(message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"]) for file in files)
