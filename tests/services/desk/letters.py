"""Letters as they come in, for tests."""

from __future__ import annotations

from email.message import EmailMessage

OURS = "msg-0123456789abcdef01234567"


def letter(
    text: str = "The brown one.", *, subject: str = "Re: Your watch", to: str = "repairs@shop.example", **headers: str
) -> EmailMessage:
    """A letter of hers; headers are written with underscores for strokes."""
    email = EmailMessage()
    email["From"] = "Zo Unlikely <zo@post.example>"
    email["To"] = to
    email["Subject"] = subject
    email["Message-ID"] = "<1@post.example>"
    email.set_content(text)
    for name, value in headers.items():
        del email[name.replace("_", "-")]
        email[name.replace("_", "-")] = value
    return email


def bounce(status: str = "5.1.1", message: str = OURS, action: str = "Action: failed") -> bytes:
    """What a mail server sends back (RFC 3464)."""
    return f"""\
From: MAILER-DAEMON@shop.example
To: repairs@shop.example
Subject: Undelivered Mail Returned to Sender
Return-Path: <>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system. zo@post.example: user unknown
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; shop.example

Final-Recipient: rfc822; zo@post.example
{action}
Status: {status}
--b
Content-Type: text/rfc822-headers

From: repairs@shop.example
To: zo@post.example
Message-ID: <{message}@shop.example>
--b--
""".encode()
