"""Letters that are broken, or made to keep us busy: each is read in a moment, or is said to be none."""

from __future__ import annotations

import time

import pytest

from services.contact import Contact
from services.desk.mail import Bounce, MailError, read_mail
from services.desk.redacting import redacted
from tests.services.desk.letters import letter

HEAD = b"From: Zo <zo@post.example>\nTo: repairs@shop.example\nSubject: x\n"
HTML = HEAD + b"Content-Type: text/html\n\n"

#: Processor time (seconds); without care each of these takes more than ten times as much.
AT_MOST = 2.0


def in_parts(depth: int) -> bytes:
    """A letter with parts within parts."""
    begins = b"".join(b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(depth))
    return HEAD + b"Content-Type: multipart/mixed; boundary=b0\n\n" + begins + b"--b%d\n\nhello\n" % depth


@pytest.mark.parametrize("raw", [in_parts(3_000), HEAD + b"Content-Type: message/rfc822\n\n" * 2_000 + b"hello"])
def test_parts_within_parts_without_end_are_no_letter(raw: bytes) -> None:
    with pytest.raises(MailError, match="parts within parts"):
        read_mail(raw)


def test_some_parts_within_parts_are_one() -> None:
    assert read_mail(in_parts(20)).text == "hello"


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"\n" + b"\n" * 90_000 + b"x",
        HTML + b"<div>" * 60_000 + b"x",
        HTML + b"<!--" * 90_000 + b"x",
        HTML + b"<!--y>" * 60_000 + b"x",
        HTML + b"<a " * 90_000 + b"x",
        HTML + b"<![CDATA[" * 40_000 + b"x",
        b"From: a@post.example\nTo: " + b"a <a@post.example>, " * 30_000 + b"\n\nx",
        b"From: a@post.example\nTo: " + b"(" * 20_000 + b"\n\nx",
        b"From: a@post.example\nReferences: " + b"<msg-0123456789abcdef01234567@shop.example> " * 30_000 + b"\n\nx",
    ],
    ids=["lines", "divs", "comments", "open comments", "tags", "sections", "recipients", "brackets", "references"],
)
def test_what_is_made_to_keep_us_busy_does_not(raw: bytes) -> None:
    before = time.process_time()
    assert read_mail(raw).kind == "word"
    assert time.process_time() - before < AT_MOST


REPORT = HEAD + b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nX: y\n\n"
GIVEN_UP = b"Action: failed\nStatus: 5.1.1\n"
CAME_BACK = b"--b\nContent-Type: message/rfc822\n\n"
OURS = b"Message-ID: <msg-0123456789abcdef01234567@shop.example>\n\nhello\n--b--\n"


@pytest.mark.parametrize(
    "raw",
    [
        REPORT + GIVEN_UP + CAME_BACK + b"X: " + b"y" * 4_000_000 + b"\n" + OURS,
        REPORT + GIVEN_UP + b"X: " + b"5" * 4_000_000 + b"\n\n" + CAME_BACK + OURS,
        REPORT + GIVEN_UP + CAME_BACK + b"In-Reply-To: <order-0123456789abcdef01234567@shop.example>\n" + OURS,
    ],
    ids=["a header of what came back", "a field of the report", "what it answers"],
)
def test_what_came_back_is_found_at_once_whatever_stands_around_it(raw: bytes) -> None:
    before = time.process_time()
    assert read_mail(raw).bounce == Bounce("msg-0123456789abcdef01234567", "5.1.1")
    assert time.process_time() - before < AT_MOST


def test_parts_without_end_are_no_letter() -> None:
    with pytest.raises(MailError, match="parts without end"):
        read_mail(REPORT + b"\n--b\n\n" * 100_000)


def test_of_a_long_line_of_references_the_nearest_counts() -> None:
    far = " ".join(f"<{number:030}@post.example>" for number in range(1_000))
    raw = HEAD + f"References: {far}\n <msg-0123456789abcdef01234567@shop.example>\n\nx".encode()
    assert read_mail(raw).replies_to == ("msg-0123456789abcdef01234567",)


def test_comments_and_declarations_of_html_are_no_words_of_hers() -> None:
    raw = HTML + b"<!DOCTYPE html><!-- a <b> --><![if !mso]><p>5 < 6, and <b>so</b><!-- c --> on</p><![endif]-->"
    assert read_mail(raw).text == "5 < 6, and so on"


def test_letters_beyond_ascii_that_declare_nothing_are_read() -> None:
    for encoding in ("latin-1", "utf-8"):
        assert read_mail(HEAD + b"\n" + "Grüße, für später".encode(encoding)).text == "Grüße, für später"


def test_an_id_without_end_is_cut() -> None:
    mail = read_mail(HEAD + b"Message-ID: <" + b"a" * 5_000 + b"@post.example>\n\nx")
    assert mail.id is not None
    assert len(mail.id) <= 900


@pytest.mark.parametrize(
    "subject",
    ["Automatic reply: Your watch", "Out of office", "Abwesenheitsnotiz: Ihre Uhr", "Automatisch antwoord: x"],
)
def test_an_automatic_answer_that_only_its_subject_tells_is_one(subject: str) -> None:
    """Taken for hers it would open a closed order again, of which she would be told, which would be answered again."""
    assert read_mail(letter(subject=subject).as_bytes()).kind == "automatic"


@pytest.mark.parametrize("subject", ["Stop the repair, please", "stop met de reparatie"])
def test_whoever_wants_something_stopped_is_heard(subject: str) -> None:
    assert read_mail(letter(subject=subject).as_bytes()).kind == "word"


def test_what_no_person_writes_stays_out_of_the_log() -> None:
    assert redacted("a\x00b\x1b[31m\r\nc\td\x7f", Contact()) == "ab[31m\nc\td"
