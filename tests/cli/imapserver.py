"""A small IMAP server (RFC 3501) for one mailbox, with as much of it as a reader of unread letters needs."""

from __future__ import annotations

import re
import socketserver
import threading
from types import TracebackType
from typing import Any, Self


class ImapServer:
    """``letters`` in the mailbox ``INBOX`` of ``user``; ``seen`` are the numbers of those that were marked as read."""

    def __init__(self, letters: list[bytes]) -> None:
        self.letters = letters
        self.user, self.password = "desk", "se cret"
        self.seen: set[int] = set()
        mailbox = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"* OK here\r\n")
                while line := self.rfile.readline():
                    tag, _, command = line.decode().strip().partition(" ")
                    answer, status = mailbox.answer(command)
                    self.wfile.write(answer + f"{tag} {status}\r\n".encode())
                    if command.upper() == "LOGOUT":
                        return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"imap://{self.user}:{self.password.replace(' ', '%20')}@127.0.0.1:{self.port}/INBOX"

    def answer(self, command: str) -> tuple[bytes, str]:
        """What the server says to a command, and its last word."""
        word, _, rest = command.partition(" ")
        match word.upper(), rest:
            case "CAPABILITY", _:
                return b"* CAPABILITY IMAP4rev1\r\n", "OK done"
            case "LOGIN", login:
                right = login.replace('"', "") == f"{self.user} {self.password}"
                return b"", "OK done" if right else "NO wrong"
            case "SELECT", folder:
                return f"* {len(self.letters)} EXISTS\r\n".encode(), "OK done" if "INBOX" in folder else "NO none"
            case "UID", "SEARCH UNSEEN":
                unseen = [str(number) for number in range(1, len(self.letters) + 1) if number not in self.seen]
                return f"* SEARCH {' '.join(unseen)}\r\n".encode(), "OK done"
            case "UID", other:
                return self._uid(other)
            case "LOGOUT", _:
                return b"* BYE\r\n", "OK done"
            case _:
                return b"", "BAD unknown"

    def _uid(self, rest: str) -> tuple[bytes, str]:
        fetched: Any = re.fullmatch(r"FETCH (\d+) \(BODY\.PEEK\[\]\)", rest)
        if fetched:
            letter = self.letters[int(fetched[1]) - 1]
            head = f"* {fetched[1]} FETCH (UID {fetched[1]} BODY[] {{{len(letter)}}}\r\n".encode()
            return head + letter + b")\r\n", "OK done"
        stored: Any = re.fullmatch(r"STORE (\d+) \+FLAGS \(\\Seen\)", rest)
        if stored:
            self.seen.add(int(stored[1]))
            return b"", "OK done"
        return b"", "BAD unknown"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
