"""A letter as it is handed to a channel, and how to read what arrives."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from services.notifying.letter import Letter

SENDER = "repairs@chain.example"

LETTER = Letter(
    message="msg-0123456789abcdef",
    kind="email",
    to_name="Zoë de Wit",
    to_address="o'neil+watch@example.com",
    from_name="Juno Horloges & Zoon",
    reply_to="service@juno.example",
    language="nl",
    subject="Uw Halden: reparatie voor €\N{NO-BREAK SPACE}85,00",
    text="Beste Zoë de Wit,\n\nUw Halden is onderzocht. De reparatie kost € 85,00.\n",
    date=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
)


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(email: EmailMessage) -> str:
    content = email.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")
