"""The ways out, as Apprise plugins: a folder of .eml files, and SMTP with headers and errors that we can rely on.

Apprise's own e-mail plugin makes a new Message-ID and date each time, and answers every kind of trouble with "no". We
must know whether a message that failed may have arrived all the same, so the SMTP plugin keeps its address (URL),
connection and login, and does the sending itself.
"""

from __future__ import annotations

import os
import smtplib
import tempfile
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import unquote

from apprise.plugins import N_MGR
from apprise.plugins.base import NotifyBase
from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.smtp import SMTP_EXCEPTIONS, AppriseSMTPController, SMTPSecureMode

from services.notifying.letter import AddressError, Letter, build_email
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown

OUTBOX: Final = "outbox"
_TOKENS: Final = {"folder": {"name": "Folder", "type": "string"}}
_FOR_GOOD: Final = 500  # SMTP replies from here on say: do not try again


class OutboxChannel(NotifyBase):
    """``outbox://`` writes each letter as ``<message id>.eml``: written twice, it is still one file."""

    service_name: Any = "Outbox"
    protocol: Any = OUTBOX
    templates: Any = ("{schema}://{folder}",)
    template_tokens: Any = _TOKENS
    request_rate_per_sec = 0

    def __init__(self, folder: str | Path, **others: Any) -> None:
        super().__init__(**others)  # type: ignore[no-untyped-call]  # Apprise is typed in parts
        self.folder = Path(folder)
        self.letter: Letter | None = None
        self.sender = ""
        self.outcome: Outcome | None = None

    @staticmethod
    def parse_url(url: str, *_: Any, **__: Any) -> dict[str, Any]:
        """Everything behind ``outbox://`` is a path."""
        return {"schema": OUTBOX, "folder": unquote(url.partition("://")[2]) or "."}

    def url(self, privacy: bool = False, *_: Any, **__: Any) -> str:
        return f"{OUTBOX}://{self.folder}"

    def send(self, *_: Any, **__: Any) -> bool:
        """Write the letter; one that lies there already was written before a crash, and counts."""
        if self.letter is None:
            return False
        try:
            content = build_email(self.letter, self.sender, "8bit").as_bytes()
            _write_once(self.folder / f"{self.letter.message}.eml", content)
        except AddressError:
            self.outcome = Failed("bad_address", again=False)
        except OSError as error:
            self.outcome = Failed(f"outbox_{type(error).__name__}")
        else:
            self.outcome = Delivered()
        return isinstance(self.outcome, Delivered)


def _write_once(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name of the file is kept in its folder
    finally:
        os.close(folder)


class SmtpChannel(NotifyEmail):  # type: ignore[no-untyped-call]  # Apprise is typed in parts
    """``mailto://`` and ``mailtos://`` as Apprise reads them, one letter to one recipient."""

    letter: Letter | None = None
    sender = ""
    outcome: Outcome | None = None

    def send(self, *_: Any, **__: Any) -> bool:
        """Hand the letter to the mail server, and keep in ``outcome`` what is known of it."""
        if self.letter is None:
            return False
        self.outcome = Failed("not_connected")
        try:
            email = build_email(self.letter, self.sender, "quoted-printable")
            mailer = _Mailer(
                host=self.smtp_host or self.host,
                port=self.port or 0,  # 0: the usual port of that way of connecting
                secure_mode=self.secure_mode or SMTPSecureMode.INSECURE,
                user=self.user,
                password=self.password,
                verify_certificate=self.verify_certificate,
                socket_connect_timeout=self.socket_connect_timeout,
            )
            with mailer:
                recipient = email["To"].addresses[0].addr_spec
                self.outcome = mailer.hand_over(self.sender, recipient, email.as_bytes())
        except AddressError:
            self.outcome = Failed("bad_address", again=False)
        except SMTP_EXCEPTIONS as error:
            self.outcome = Failed(_name_of(error))
        return isinstance(self.outcome, Delivered)


class _Mailer(AppriseSMTPController):
    """Apprise's connection, with an answer to the question how far a message got.

    Reasons hold reply codes and names of errors only: servers like to repeat addresses in their texts.
    """

    def hand_over(self, sender: str, recipient: str, content: bytes) -> Outcome:
        """One message for one recipient."""
        smtp: smtplib.SMTP = cast(Any, self)._socket
        smtp.ehlo_or_helo_if_needed()
        for code, _ in (smtp.mail(sender), smtp.rcpt(recipient)):
            if code not in (250, 251):
                return Failed(f"smtp_{code}", again=code < _FOR_GOOD)
        try:
            code, _ = smtp.data(content)
        except smtplib.SMTPDataError as error:  # refused before a byte of it was sent
            return Failed(f"smtp_{error.smtp_code}", again=error.smtp_code < _FOR_GOOD)
        except SMTP_EXCEPTIONS as error:
            # Cut off in the middle: the server may have it or not, and will never tell.
            return Unknown(_name_of(error))
        if code != 250:
            return Failed(f"smtp_{code}", again=code < _FOR_GOOD)
        return Delivered()


def _name_of(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return f"smtp_{code}" if isinstance(code, int) and code > 0 else type(error).__name__


def register_outbox() -> None:
    """Make ``outbox://`` known to Apprise; harmless when it is."""
    if OUTBOX not in N_MGR:
        N_MGR.add(OutboxChannel, schemas=OUTBOX)  # type: ignore[no-untyped-call]  # Apprise is typed in parts
