"""Mail servers on loopback: a real one that keeps what it gets, and one that says word for word what it is told to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class MailServer:
    """A real SMTP server that keeps what it gets, or answers as it is told."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.taken: list[Envelope] = []
        self.callers: list[object] = []
        self.at_recipient = ""
        self.at_data = ""
        port = free_port()
        safely: dict[str, Any] = {"tls_context": tls, "require_starttls": True} if tls is not None else {}
        self._controller = Controller(self, hostname="127.0.0.1", port=port, **safely)
        self.url = f"mailto://127.0.0.1:{port}"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_recipient:
            return self.at_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.at_data == "hang up":
            assert server.transport is not None
            server.transport.close()
            return ""
        if self.at_data:
            return self.at_data
        self.taken.append(envelope)
        self.callers.append(session.peer)
        return "250 OK"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()


#: What a server that is well says, in turn: to the connection, EHLO, MAIL, RCPT, DATA and the letter.
GREETING, HELLO, SENDER, RECIPIENT, GO_ON, TAKEN = (
    "220 mail.example",
    "250 mail.example",
    "250 ok",
    "250 ok",
    "354",
    "250",
)
WELL: Sequence[str] = (GREETING, HELLO, SENDER, RECIPIENT, GO_ON, TAKEN)

#: In place of an answer: the connection is cut, reset, or nothing comes.
CUT, RESET, SILENCE = "cut", "reset", "silence"

#: An answer of ever more lines, each of which says that it is not the last.
NO_END = "no end"


@dataclass
class Scripted:
    """One script for each connection, in the order in which they come; ``letters`` are those that came in whole."""

    scripts: list[Sequence[str]]
    connections: int = 0
    letters: list[bytes] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def patience(self) -> float:
        """How long to wait for its answers (seconds): not for long if there is one that never comes."""
        return 0.3 if any(SILENCE in script for script in self.scripts) else 10.0

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?cto={self.patience}"

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                script = self.scripts[self.connections] if self.connections < len(self.scripts) else (CUT,)
                self.connections += 1
                threading.Thread(target=self._talk, args=(line, script), daemon=True).start()

    def _talk(self, line: socket.socket, script: Sequence[str]) -> None:
        with line, suppress(OSError), line.makefile("rb") as heard:
            for place, answer in enumerate(script):
                if place and not self._hear(heard, letter=script[place - 1].startswith("354")):
                    return
                if answer == SILENCE:
                    self.over.wait(10)
                if answer == RESET:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                if answer in (SILENCE, RESET, CUT):
                    return
                while answer == NO_END and not self.over.wait(0.005):
                    line.sendall(b"250-\r\n")
                line.sendall(answer.encode() + b"\r\n")

    def _hear(self, heard: object, *, letter: bool) -> bool:
        lines: list[bytes] = []
        for line in heard:  # type: ignore[attr-defined]  # a file of lines
            lines.append(line)
            if not letter or line == b".\r\n":
                break
        if lines and letter:
            self.letters.append(b"".join(lines[:-1]))
        return bool(lines)


@contextmanager
def scripted(*scripts: Sequence[str]) -> Iterator[Scripted]:
    """A server that talks as ``scripts`` say, one for each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Scripted(list(scripts), port=listener.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
