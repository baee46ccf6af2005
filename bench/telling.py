"""Messages planned and sent to a mail server on loopback, beside bare loops of Apprise and smtplib, in the same run.

``python -m bench.telling [--messages N]``. Ours is everything from the facts in the log to the outcomes in the log,
with projector and notifier as processes of their own: reading, deciding, wording, the plan, the attempt, the claim, the
letter (text and HTML) and the outcome, each of them synced. Apprise's loop is ``notify`` again and again, as its
documentation shows it; smtplib's keeps one connection open and sends a letter that is made already. The mail server
counts, and keeps nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import uvloop
from aiosmtpd.controller import Controller
from apprise import Apprise
from nats.aio.client import Client

from bench.measuring import durable_server, report
from events import log, names
from events.envelope import make_event
from events.party import name_of
from events.streams import declare_streams
from events.subjects import customer_key
from services.answering import ask
from services.connecting import connect
from services.contact import Channel, Contact
from services.parties import add_party
from services.rights import KEEPER_USER
from services.settings import Settings

_SHOP = "retailer:acme"
_WANTED = 0.7
#: The yardsticks send as many as are enough to know their pace.
_YARDSTICK = 300
_BATCH = 500
_PATIENCE = 3_600.0


class _Counting:
    """What an SMTP server does with mail here: it takes it and counts."""

    def __init__(self, counted: Any) -> None:
        self._counted = counted

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        del server, session, envelope
        self._counted.value += 1
        return "250 OK"


def _serve_mail(counted: Any, port: int, ready: Any) -> None:
    Controller(_Counting(counted), hostname="127.0.0.1", port=port, server_hostname="sink.example").start()
    ready.set()
    while True:
        time.sleep(60)


@contextlib.contextmanager
def mail_sink() -> Iterator[tuple[int, Any]]:
    """A mail server in a process of its own: its port, and how many letters it has taken."""
    context = multiprocessing.get_context("spawn")
    counted, ready = context.Value("i", 0), context.Event()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = context.Process(target=_serve_mail, args=(counted, port, ready), daemon=True)
    process.start()
    if not ready.wait(30):
        raise RuntimeError("the mail server did not start")
    try:
        yield port, counted
    finally:
        process.kill()
        process.join()


def apprise_loop(port: int, count: int) -> float:
    """Letters per second of Apprise's own e-mail plugin, one ``notify`` after the other."""
    began = time.perf_counter()
    for number in range(count):
        courier = Apprise()
        courier.add(
            f"mailto://127.0.0.1:{port}?from=repairs@chain.example&to=customer-{number}@mail.example&mode=insecure"
        )
        assert courier.notify(title=f"Your watch {number}", body=_TEXT)
    return count / (time.perf_counter() - began)


def smtplib_loop(port: int, count: int) -> float:
    """Letters per second of smtplib over one connection."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "repairs@chain.example", "customer@mail.example", "Your watch"
    letter.set_content(_TEXT)
    letter.add_alternative(f"<p>{_TEXT}</p>", subtype="html")
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for _ in range(count):
            server.send_message(letter)
    return count / (time.perf_counter() - began)


_TEXT = "Thank you for entrusting your watch to us. You will hear from us again by Thursday at 17:00.\n" * 6


async def fill(settings: Settings, count: int) -> None:
    """``count`` orders in the log, opened this minute, each with a customer whose address is known."""
    connection = await connect(settings, KEEPER_USER)
    js = connection.jetstream()
    await declare_streams(js)
    customers = await js.key_value(names.CUSTOMERS)
    now = datetime.now(UTC)
    for begin in range(0, count, _BATCH):
        numbers = range(begin, min(begin + _BATCH, count))
        await asyncio.gather(*(_known(customers, number) for number in numbers))
        await log.append_batch(
            js,
            [
                make_event(
                    "order.opened",
                    source=_SHOP,
                    id=f"open-{number}",
                    subject=f"W-{number}",
                    time=now,
                    recordedtime=now,
                    # Urgent: at any hour, whenever this is run.
                    data={
                        "customer": f"C-{number}",
                        "urgency": "urgent",
                        "product": {"brand": "Halden", "model": "36"},
                    },
                )
                for number in numbers
            ],
        )
    await connection.close()


async def _known(customers: Any, number: int) -> None:
    address = Channel(kind="email", address=f"customer-{number}@mail.example")
    contact = Contact(name=f"Customer {number}", channels=(address,))
    await customers.put(customer_key(_SHOP, f"C-{number}"), contact.model_dump_json().encode())


@contextlib.asynccontextmanager
async def running(settings: Settings, port: int, *services: str) -> AsyncIterator[None]:
    """Services as processes of their own, that send their mail to ``port``."""
    environment = settings.model_copy(
        update={
            "email_url": f"mailto://127.0.0.1:{port}?mode=insecure",
            "sender_address": "repairs@chain.example",
            "health_port": 0,
            "log_level": "warning",
        }
    )
    fields = {"home", "email_url", "sender_address", "health_port", "log_level"}
    variables = {f"REPAIRCHAIN_{name.upper()}": str(getattr(environment, name)) for name in fields}
    variables["REPAIRCHAIN_HOME"] = str(settings.home.absolute())
    processes = [
        # Its output is ours, and nothing here waits for it.
        subprocess.Popen([sys.executable, "-m", "cli.main", "run", name], env={**_environment(), **variables})  # noqa: ASYNC220
        for name in services
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("REPAIRCHAIN_")}


async def ours(settings: Settings, port: int, counted: Any, count: int) -> float:
    """Messages per second from the log to the outcomes in the log."""
    connection = await connect(settings, "operator")
    before = counted.value
    async with running(settings, port, "projector"):
        await _answered(connection, "position", {}, lambda _: True)
        began = time.perf_counter()
        async with running(settings, port, "notifier"):
            async with asyncio.timeout(_PATIENCE):
                while counted.value - before < count:  # noqa: ASYNC110 - another process counts
                    await asyncio.sleep(0.1)
            # The outcomes are facts, too.
            await _answered(connection, "audit", {}, lambda audit: audit["sent"] >= count)
            took = time.perf_counter() - began
            audit = await ask(connection, "audit", {})
    await connection.close()
    assert audit["balanced"], audit
    assert counted.value - before == count, f"{counted.value - before} letters for {count} messages"
    print(f"books: {audit['planned']:,} planned, {audit['sent']:,} sent, {audit['pending']} pending, balanced")
    return count / took


async def _answered(connection: Client, name: str, args: dict[str, Any], enough: Any) -> None:
    async with asyncio.timeout(_PATIENCE):
        while True:
            with contextlib.suppress(Exception):  # it starts
                if enough(await ask(connection, name, args, timeout=60.0)):
                    return
            await asyncio.sleep(0.2)


async def measure(count: int) -> bool:
    with mail_sink() as (port, counted):
        async with durable_server() as settings:
            await asyncio.to_thread(add_party, settings.home, _SHOP, name_of(_SHOP), email="service@acme.example")
            await fill(settings, count)
            mine = await ours(settings, port, counted, count)
        apprise = apprise_loop(port, min(count, _YARDSTICK))
        bare = smtplib_loop(port, min(count, _YARDSTICK))
    print(f"smtplib over one connection: {bare:,.0f} messages/s; ours is {mine / bare:.2f} of it")
    return report("planned and sent", mine, apprise, "a bare Apprise loop", "messages/s", _WANTED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    given = parser.parse_args()
    sys.exit(not uvloop.run(measure(given.messages)))


if __name__ == "__main__":
    main()
