"""Those who take letters, and do not always say so: a mail server and a shop's webhook, on loopback, in threads.

What they took is known here and nowhere else, so it is what the log's words are held against.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from tests.services.notifying.mailserver import free_port


class Taken:
    """How often each letter was taken, and how many answers were lost. Whoever comes by during a call may intervene.

    ``lost`` is the share of the answers that never arrive, ``intervene`` is called with the letter's id while its
    sender waits for the answer.
    """

    def __init__(self, lost: float, seed: int) -> None:
        self.times: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()
        self.intervene: Callable[[str], None] | None = None
        self._lost = lost
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    def take(self, letter: str) -> bool:
        """Take it; whether the answer arrives."""
        with self._lock:
            self.times[letter] += 1
            arrives = self._chance.random() >= self._lost
            if not arrives:
                self.unanswered[letter] += 1
        if self.intervene is not None:
            self.intervene(letter)
        return arrives


@contextmanager
def mail_server(taken: Taken) -> Iterator[int]:
    """A real SMTP server: its port."""

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            letter = message_from_bytes(envelope.content, policy=policy.default)
            if taken.take(str(letter["Message-ID"]).strip("<>").partition("@")[0]):
                return "250 OK"
            server.transport.close()
            return ""

    port = free_port()
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@contextmanager
def webhook(taken: Taken) -> Iterator[int]:
    """A shop that takes its messages over HTTP: its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.close_connection = True
            if taken.take(str(self.headers["webhook-id"])):
                self.send_response(204)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            return  # whoever called was killed

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
