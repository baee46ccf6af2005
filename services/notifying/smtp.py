"""Letters over SMTP, many through one connection, and what is known of each when something goes wrong.

Apprise reads the address of the server (``mailto://``, ``mailtos://``) and knows the big providers. We do the sending:
its own plugin makes a new Message-ID and date each time, opens a connection for each letter, reads the certificates of
this machine for each connection, and answers every kind of trouble with "no". We must know whether a letter that failed
may have arrived all the same.

Until the server has said that it waits for the letter (354), nothing of it has left: whatever fails before that may be
tried again. Once the letter is on the wire, silence means that nobody knows.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.smtp import SMTP_EXCEPTIONS, SMTPSecureMode

from services.notifying.deadline import Deadline
from services.notifying.letter import AddressError, Letter, check_address
from services.notifying.mime import build_email
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown
from services.notifying.trust import trusted_here

SCHEMES: Final = ("mailto", "mailtos")

#: A connection carries so many letters (a server that wants fewer hangs up, and gets a new one), and may lie idle for
#: so many seconds (servers close theirs after a minute or more).
LETTERS: Final = 500
IDLE_SECONDS: Final = 30.0

#: Servers look through a letter before they say yes, and what they say too late is lost.
_DATA_SECONDS: Final = 60.0

#: For all of a letter, with a connection that is made for it: a server may say a little all the time, and never end.
_ALL_SECONDS: Final = 120.0

_CLOSING: Final = 421  # the server hangs up after it
_WAITS: Final = 354
_FOR_GOOD: Final = 500  # replies from here on say: do not try again

#: RFC 3463: the second number says what is the matter; 3 and 4 are the server's own health and its network.
_ENHANCED: Final = re.compile(rb"[245]\.(\d{1,3})\.(\d{1,3})\b")

#: At the recipient some servers tell what they have against us: log in first, or a sender that they do not take.
_LOG_IN: Final = (530, 535, 538)
_SENDER: Final = ((1, 7), (1, 8), (7, 60))


@dataclass(frozen=True)
class SmtpServer:
    """Where letters go, as Apprise read it. The password stays out of ``repr``."""

    host: str
    port: int
    secure_mode: str
    user: str | None
    password: str | None = field(repr=False)
    verify_certificate: bool
    seconds: float

    @classmethod
    def of(cls, url: str, sender: str) -> SmtpServer | None:
        """The server that ``url`` names; None if it names none."""
        read: Any = NotifyEmail  # Apprise is typed in parts
        found = read(**{**(read.parse_url(url) or {}), "from_addr": sender})
        if not found.smtp_host:
            return None
        return cls(
            host=found.smtp_host,
            port=found.port or 0,  # 0: the usual port of that way of connecting
            secure_mode=found.secure_mode or SMTPSecureMode.INSECURE,
            user=found.user,
            password=found.password,
            verify_certificate=found.verify_certificate,
            seconds=float(found.socket_connect_timeout),
        )


def _tls_for(server: SmtpServer) -> ssl.SSLContext | None:
    """What secures the connections to ``server``; None if they are not to be."""
    if server.secure_mode == SMTPSecureMode.INSECURE:
        return None
    if server.verify_certificate:
        return trusted_here()
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _NotBegunError(Exception):
    """The connection broke before the server waited for the letter: nothing of it has left."""


class Smtp:
    """Sends letters to one server. ``now`` is in seconds on a monotonic clock; threads share the open connections."""

    repeats_harmlessly = False

    def __init__(
        self,
        server: SmtpServer,
        sender: str,
        *,
        now: Callable[[], float] = time.monotonic,
        data_seconds: float = _DATA_SECONDS,
        all_seconds: float = _ALL_SECONDS,
    ) -> None:
        self._server = server
        self._sender = sender
        self._now = now
        self._data_seconds = data_seconds
        self._all_seconds = all_seconds
        self._tls = _tls_for(server)
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def send(self, letter: Letter) -> Outcome:
        """Hand the letter to the server; an open connection that turns out to be dead is replaced at once."""
        try:
            recipient = check_address(letter.to_address)
            content = build_email(letter, self._sender, "quoted-printable")
        except AddressError:
            return Failed("bad_address", again=False)
        with Deadline(self._all_seconds) as deadline:
            return self._send(recipient, content, deadline)

    def _send(self, recipient: str, content: bytes, deadline: Deadline) -> Outcome:
        if (open_one := self._take()) is not None:
            open_one.smtp.deadline = deadline
            with suppress(_NotBegunError):
                return self._hand_over(open_one, recipient, content)
        try:
            connection = _Connection.to(self._server, self._tls, self._data_seconds, deadline)
            return self._hand_over(connection, recipient, content)
        except _NotBegunError as error:
            return Failed(str(error))
        except SMTP_EXCEPTIONS as error:  # while connecting
            return Failed(_name_of(error))

    def close(self) -> None:
        """Say good-bye on the connections that lie idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _hand_over(self, connection: _Connection, recipient: str, content: bytes) -> Outcome:
        try:
            outcome = connection.hand_over(self._sender, recipient, content)
        except BaseException:
            connection.close()
            raise
        if connection.is_open and connection.letters < LETTERS:
            connection.idle_since = self._now()
            with self._lock:
                self._idle.append(connection)
        else:
            connection.close()
        return outcome

    def _take(self) -> _Connection | None:
        """The connection that was used last, and an end to those that have been idle for too long."""
        with self._lock:
            since = self._now() - IDLE_SECONDS
            stale = [each for each in self._idle if each.idle_since < since]
            self._idle = [each for each in self._idle if each.idle_since >= since]
            found = self._idle.pop() if self._idle else None
        for connection in stale:
            connection.close()
        return found


class _Bounded(smtplib.SMTP):
    """Whatever it is waiting for comes to an end with its deadline."""

    def __init__(self, deadline: Deadline, *args: Any, **options: Any) -> None:
        self.deadline = deadline
        super().__init__(*args, **options)

    def getreply(self) -> tuple[int, bytes]:
        """The next reply. Raises SMTPServerDisconnected where it does not come."""
        if self.sock is not None:
            self.deadline.cuts(self.sock)
        return super().getreply()


class _BoundedTls(_Bounded, smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""


@dataclass
class _Connection:
    """One connection that is logged in. ``is_open``: another letter may follow."""

    smtp: _Bounded
    seconds: float
    data_seconds: float
    letters: int = 0
    idle_since: float = 0.0
    is_open: bool = True

    @classmethod
    def to(cls, server: SmtpServer, tls: ssl.SSLContext | None, data_seconds: float, deadline: Deadline) -> _Connection:
        """Connect and log in; with ``tls``, nobody is told anything before the line is safe. Raises SMTP_EXCEPTIONS."""
        if tls is not None and server.secure_mode == SMTPSecureMode.SSL:
            smtp: _Bounded = _BoundedTls(deadline, server.host, server.port, timeout=server.seconds, context=tls)
        else:
            smtp = _Bounded(deadline, server.host, server.port, timeout=server.seconds)
        try:
            if tls is not None and server.secure_mode == SMTPSecureMode.STARTTLS:
                smtp.starttls(context=tls)
            if server.user and server.password:
                smtp.login(server.user, server.password)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return cls(smtp, server.seconds, data_seconds)

    def hand_over(self, sender: str, recipient: str, content: bytes) -> Outcome:
        """One letter for one recipient. Raises _NotBegunError if the connection broke before it began.

        Reasons hold reply codes and names of errors only: servers like to repeat addresses in their texts.
        """
        self.letters += 1
        try:
            refused = self._refused(sender, recipient)
        except SMTP_EXCEPTIONS as error:
            self.is_open = False
            raise _NotBegunError(_name_of(error)) from None
        if refused is not None:
            self._forget_it()
            return refused
        try:
            self._patience(self.data_seconds)
            self.smtp.send(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            code, _ = self.smtp.getreply()
            self._patience(self.seconds)
        except SMTP_EXCEPTIONS as error:
            # Cut off in the middle: the server may have it or not, and will never tell.
            self.is_open = False
            return Unknown(_name_of(error))
        if 200 <= code < 300:
            return Delivered()
        if code < 400:  # no reply that a server may give here
            self.is_open = False
            return Unknown(f"smtp_{code}")
        self.is_open = code != _CLOSING
        return Failed(f"smtp_{code}", again=code < _FOR_GOOD)

    def _refused(self, sender: str, recipient: str) -> Failed | None:
        """What the server has against sender, recipient, or having a letter at all; None if it waits for the letter."""
        # Both addresses were checked; smtplib would take them apart for each letter.
        code, _ = self._said(self.smtp.docmd(f"MAIL FROM:<{sender}>"))
        if code not in (250, 251):
            return Failed(f"smtp_{code}")  # of our own address she knows nothing: a person has to mend that
        code, text = self._said(self.smtp.docmd(f"RCPT TO:<{recipient}>"))
        if code not in (250, 251):
            ours = _is_about_us(code, text)
            return Failed(f"smtp_{code}", again=ours or code < _FOR_GOOD, hers=not ours and code < _FOR_GOOD)
        code, _ = self._said(self.smtp.docmd("DATA"))
        return None if code == _WAITS else Failed(f"smtp_{code}", again=code < _FOR_GOOD)

    def _forget_it(self) -> None:
        """Have the server forget the letter that it did not want, so that another may follow."""
        try:
            self.is_open = self.smtp.rset()[0] == 250
        except SMTP_EXCEPTIONS:
            self.is_open = False

    def _said(self, reply: tuple[int, bytes]) -> tuple[int, bytes]:
        code, _ = reply
        if code == _CLOSING or code < 0:
            raise smtplib.SMTPResponseException(code, "")
        return reply

    def _patience(self, seconds: float) -> None:
        if self.smtp.sock is not None:
            self.smtp.sock.settimeout(seconds)

    def close(self) -> None:
        """Say good-bye, and wait for no answer."""
        with suppress(*SMTP_EXCEPTIONS):
            if self.is_open:
                self.smtp.putcmd("QUIT")
        self.smtp.close()


def _is_about_us(code: int, text: bytes) -> bool:
    """Whether a refusal at the recipient says that the server is unwell, or has something against us."""
    if code in _LOG_IN:
        return True
    if (found := _ENHANCED.match(text)) is not None:
        matter = (int(found[1]), int(found[2]))
        return matter in _SENDER or matter[0] in (3, 4)
    return code in (451, 452)  # 450, as of those who want to be asked twice, is about one mailbox


def _name_of(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return f"smtp_{code}" if isinstance(code, int) and code > 0 else type(error).__name__
