"""A mailbox that answers of customers come to, over IMAP: what is unread is read, and marked once it is dealt with."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

#: A server that says nothing for so long (seconds) is not there.
_TIMEOUT: Final = 30.0

_PORT: Final = 143
_PORT_SECURE: Final = 993

_TROUBLE: Final = (imaplib.IMAP4.error, OSError, EOFError)


class MailboxError(RuntimeError):
    """The mailbox cannot be read now; the message says why, and never holds a password."""


class MailboxUrlError(ValueError):
    """The setting names no mailbox; the message says what to write."""


class Mailbox:
    """The mailbox behind an ``imaps://user:password@host[:port]/FOLDER`` (or ``imap://``, without encryption).

    ``with Mailbox(url) as mailbox: for number, letter in mailbox.unread(): …``. Raises MailboxError, MailboxUrlError.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme not in ("imaps", "imap") or not parts.hostname or parts.username is None:
            raise MailboxUrlError("imap_url has to look like imaps://user:password@host/INBOX")
        self._host, self._port, self._secure = parts.hostname, port, parts.scheme == "imaps"
        self._user, self._password = unquote(parts.username), unquote(parts.password or "")
        self._folder = unquote(parts.path.lstrip("/")) or "INBOX"

    def __enter__(self) -> Self:
        try:
            if self._secure:
                context = ssl.create_default_context()
                self._server: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                    self._host, self._port or _PORT_SECURE, ssl_context=context, timeout=_TIMEOUT
                )
            else:
                self._server = imaplib.IMAP4(self._host, self._port or _PORT, timeout=_TIMEOUT)
        except _TROUBLE as error:
            raise MailboxError(f"the mail server {self._host} cannot be reached ({type(error).__name__})") from None
        try:
            self._do("login", self._user, self._password)
            folder = self._folder.replace("\\", "\\\\").replace('"', '\\"')
            self._do("select", f'"{folder}"')
        except MailboxError:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def unread(self) -> Iterator[tuple[str, bytes]]:
        """Each unread letter with its number in the mailbox, the oldest first. Reading it does not mark it."""
        found = self._do("uid", "SEARCH", "UNSEEN")
        for number in (found[0] or b"").split():
            for part in self._do("uid", "FETCH", number.decode(), "(BODY.PEEK[])"):
                if isinstance(part, tuple):
                    yield number.decode(), part[1]

    def mark_read(self, number: str) -> None:
        """It is dealt with and does not come again."""
        self._do("uid", "STORE", number, "+FLAGS", "(\\Seen)")

    def _do(self, command: str, *args: str) -> list[Any]:
        try:
            status, data = getattr(self._server, command)(*args)
        except _TROUBLE as error:
            # The server's words may repeat what it was told.
            raise MailboxError(
                f"the mail server {self._host} failed at {args[0] if command == 'uid' else command} "
                f"({type(error).__name__})"
            ) from None
        if status != "OK":
            raise MailboxError(f"the mail server {self._host} refuses {args[0] if command == 'uid' else command}")
        return list(data)

    def _leave(self) -> None:
        try:
            self._server.logout()
        except _TROUBLE:
            return
