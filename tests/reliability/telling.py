"""Kills the notifier at every step of telling, while a third of the answers of those who take its letters are lost.

At the end every cause has one message and every message one outcome; a mail that nobody can know the fate of is parked,
and none was handed over twice; a webhook, which takes a repeat for what it is, has had every message.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from nats.js import JetStreamContext

from events import log, names
from events.clock import SystemClock
from events.envelope import Event, make_event
from events.streams import declare_streams
from events.subjects import customer_key
from events.tail import read_until
from services.contact import Channel, Contact
from services.settings import load_settings
from services.webhooks import set_webhook
from services.wiring import build
from tests.chainserver import ChainServer
from tests.reliability.dying import DURING_CALL, STEPS, Death, run
from tests.reliability.providers import Taken, mail_server, webhook
from tests.waiting import eventually

#: One shop's customers are written to by mail, the other's by the shop itself.
MAIL: Final = "retailer:juno"
HOOK: Final = "retailer:vesta"

#: What a killed notifier had in hand comes again to the next one only after a while (seconds).
_PATIENCE: Final = 90.0
_DIES_WITHIN: Final = 25.0

_LOST: Final = 0.3


@dataclass
class Telling:
    """The state of a campaign: what was caused, who took what, how often a notifier died at each step."""

    js: JetStreamContext
    settings: dict[str, Any]
    mails: Taken
    hooks: Taken
    chance: random.Random
    say: Callable[[str], None]
    deaths: Counter[str] = field(default_factory=Counter)
    orders: list[tuple[str, str]] = field(default_factory=list)
    _planned: dict[str, str] = field(default_factory=dict)
    _outcomes: dict[str, Event] = field(default_factory=dict)
    _read_to: int = 0

    async def cause(self, count: int) -> None:
        """Open orders, each a cause of one message."""
        customers = await self.js.key_value(names.CUSTOMERS)
        for _ in range(count):
            shop = MAIL if len(self.orders) % 2 else HOOK
            order = f"W-{len(self.orders)}"
            contact = Contact(channels=(Channel(kind="email", address=f"{order.lower()}@mail.example"),))
            await customers.put(customer_key(shop, order), contact.model_dump_json().encode())
            now = datetime.now(UTC)
            data = {"customer": order, "urgency": "urgent", "product": {"brand": "Halden", "model": "36"}}
            opened = make_event(
                "order.opened", source=shop, id=f"open-{order}", subject=order, time=now, recordedtime=now, data=data
            )
            await log.append(self.js, opened)
            self.orders.append((shop, order))

    async def notifier(self, death: Death | None = None) -> BaseProcess:
        """A notifier in a process of its own, once it works."""
        context = _processes()
        ready = context.Event()
        process: BaseProcess = context.Process(target=run, args=(self.settings, death, ready), daemon=True)
        process.start()
        await eventually(lambda: ready.is_set() or not process.is_alive(), "the notifier works", patience=30.0)
        return process

    async def kill_at(self, step: str) -> None:
        """Some causes, and a notifier that dies at ``step``."""
        if step == DURING_CALL:
            await self._kill_during_a_call()
        else:
            process = await self.notifier(Death(step, self.chance.randint(1, 2)))
            await self.cause(3)
            await eventually(lambda: not process.is_alive(), f"the notifier dies {step}", patience=_DIES_WITHIN)
            assert process.exitcode == -signal.SIGKILL, f"it ended by itself with {process.exitcode}"
        self.deaths[step] += 1

    async def _kill_during_a_call(self) -> None:
        process = await self.notifier()
        pid = process.pid
        assert pid is not None

        def intervene(letter: str) -> None:
            del letter
            if process.is_alive():
                os.kill(pid, signal.SIGKILL)

        for taken in (self.mails, self.hooks):
            taken.intervene = intervene
        await self.cause(3)
        await eventually(lambda: not process.is_alive(), "the notifier dies during a call", patience=_DIES_WITHIN)
        for taken in (self.mails, self.hooks):
            taken.intervene = None

    async def two_of_which_one_is_frozen(self) -> None:
        """One notifier stands still in the middle of a call, past its lease, while another goes on; then it wakes."""
        frozen = await self.notifier()
        pid = frozen.pid
        assert pid is not None
        stopped: list[str] = []

        def intervene(letter: str) -> None:
            if not stopped:
                stopped.append(letter)
                os.kill(pid, signal.SIGSTOP)

        for taken in (self.mails, self.hooks):
            taken.intervene = intervene
        await self.cause(4)
        await eventually(lambda: bool(stopped), "a notifier is frozen", patience=_DIES_WITHIN)
        for taken in (self.mails, self.hooks):
            taken.intervene = None
        other = await self.notifier()
        await self.all_ended()
        os.kill(pid, signal.SIGCONT)
        await self.cause(2)
        await self.all_ended()
        for process in (frozen, other):
            process.kill()
            await asyncio.to_thread(process.join, 10)

    async def all_ended(self) -> None:
        """Return once every cause has a message, and every message an outcome."""
        await eventually(self._ended, "every message has an outcome", patience=_PATIENCE)

    async def _ended(self) -> bool:
        planned, outcomes = await self.books()
        return len(planned) == len(self.orders) and planned.keys() == outcomes.keys()

    async def books(self) -> tuple[dict[str, str], dict[str, Event]]:
        """The order of each planned message, and its outcome as the log has it first; read on from the last time."""
        end = await log.last_position(self.js)
        async for batch in read_until(self.js, end, after=self._read_to):
            for event in (Event.from_json(payload) for _, payload in batch):
                if event.name == "message.planned":
                    self._planned.setdefault(event.data["message"], event.subject)
                elif event.name.startswith("message.") and event.name != "message.attempted":
                    self._outcomes.setdefault(event.data["message"], event)
        self._read_to = end
        return self._planned, self._outcomes

    async def judge(self) -> Counter[str]:
        """Raise AssertionError for whatever was forgotten, told twice, or said to be what it is not."""
        planned, outcomes = await self.books()
        shops = {order: shop for shop, order in self.orders}
        assert Counter(planned.values()) == Counter(shops.keys()), "each cause has one message"
        assert planned.keys() == outcomes.keys(), "each message has an outcome"
        for message, outcome in outcomes.items():
            taken = (self.mails if shops[planned[message]] == MAIL else self.hooks).times[message]
            if shops[planned[message]] == HOOK:
                assert outcome.name == "message.sent", f"{message}: a webhook can be asked again, {outcome.name}"
                assert taken >= 1, f"{message}: it was never handed over"
            else:
                assert taken <= 1, f"{message}: she got it {taken} times"
                assert outcome.name in ("message.sent", "message.unknown"), f"{message}: {outcome.name}"
                assert outcome.name != "message.sent" or taken == 1, f"{message}: it is said to be sent and was not"
                if self.mails.unanswered[message]:
                    assert outcome.name == "message.unknown", f"{message}: nobody could know, {outcome.name}"
        return Counter(outcome.name for outcome in outcomes.values())


def _processes() -> Any:
    """Processes that are forked from one that has imported everything: hundreds of them start in no time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.reliability.dying", "tests.reliability.worded", "tests.reliability.frozen"])
    return context


@asynccontextmanager
async def telling(home: Path, seed: int, say: Callable[[str], None] = print) -> AsyncIterator[Telling]:
    """A campaign on ``home``: a server, a projector, a mail server and a shop's webhook."""
    mails, hooks = Taken(_LOST, seed), Taken(_LOST, seed + 1)
    async with ChainServer(home) as server:
        with ExitStack() as stack:
            port = stack.enter_context(mail_server(mails))
            hook = stack.enter_context(webhook(hooks))
            for shop in (MAIL, HOOK):
                await server.add_party(shop)
            set_webhook(home, HOOK, f"http://127.0.0.1:{hook}/messages")
            js = (await server.connect("keeper")).jetstream()
            await declare_streams(js)
            given = {
                "home": home,
                "nats_url": server.url,
                "email_url": f"mailto://127.0.0.1:{port}",
                "sender_address": "repairs@chain.example",
                "webhook_private_networks": True,
            }
            projector = build("projector", load_settings(**given), SystemClock())
            await projector.start()
            try:
                yield Telling(js, given, mails, hooks, random.Random(seed), say)
            finally:
                await projector.stop()


async def campaign(telling: Telling, rounds: int) -> Counter[str]:
    """``rounds`` deaths at each step, one frozen notifier, and the judgement: how many messages ended in which way."""
    for number in range(rounds):
        for step in STEPS:
            await telling.kill_at(step)
        telling.say(f"round {number + 1} of {rounds}: {len(telling.orders)} causes")
    last = await telling.notifier()
    await telling.all_ended()
    last.kill()
    await asyncio.to_thread(last.join, 10)
    await telling.two_of_which_one_is_frozen()
    return await telling.judge()
