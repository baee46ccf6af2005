"""Letters over SMTP: one connection for many, and what is known of a letter when the server or the line fails."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from services.notifying import smtp
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown
from services.notifying.smtp import IDLE_SECONDS, LETTERS, Smtp, SmtpServer
from tests.services.notifying.mailserver import (
    CUT,
    GO_ON,
    GREETING,
    HELLO,
    NO_END,
    RECIPIENT,
    RESET,
    SENDER,
    SILENCE,
    WELL,
    MailServer,
    Scripted,
    scripted,
)
from tests.services.notifying.receiver import make_certificate
from tests.services.notifying.sample_letter import LETTER, read, text_of
from tests.services.notifying.sample_letter import SENDER as OUR_ADDRESS


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def over(server: MailServer | Scripted, time: Time | None = None) -> Smtp:
    found = SmtpServer.of(server.url, OUR_ADDRESS)
    assert found is not None
    patience = server.patience if isinstance(server, Scripted) else 10.0
    return Smtp(found, OUR_ADDRESS, now=time or Time(), data_seconds=patience)


# -- one connection for many ------------------------------------------------------------------------------------------


def test_letters_share_a_connection(mail: MailServer) -> None:
    channel = over(mail)
    for number in range(3):
        assert channel.send(replace(LETTER, message=f"msg-{number}")) == Delivered()
    assert len(mail.taken) == 3
    assert len(set(mail.callers)) == 1
    assert all(envelope.rcpt_tos == [LETTER.to_address] for envelope in mail.taken)
    channel.close()


def test_one_that_is_refused_leaves_the_connection_good_for_the_next(mail: MailServer) -> None:
    channel = over(mail)
    assert channel.send(LETTER) == Delivered()
    mail.at_recipient = "550 5.1.1 nobody here"
    assert channel.send(LETTER) == Failed("smtp_550", again=False)
    mail.at_recipient = ""
    mail.at_data = "554 5.7.1 spam"
    assert channel.send(LETTER) == Failed("smtp_554", again=False)
    mail.at_data = ""
    assert channel.send(LETTER) == Delivered()
    assert len(set(mail.callers)) == 1
    assert mail.taken[-1].rcpt_tos == [LETTER.to_address]  # nothing is left of those that were refused
    channel.close()


def test_a_connection_that_was_idle_for_long_is_not_trusted(mail: MailServer) -> None:
    time = Time()
    channel = over(mail, time)
    channel.send(LETTER)
    time.now = IDLE_SECONDS + 1
    channel.send(LETTER)
    assert len(set(mail.callers)) == 2
    channel.close()


def test_a_connection_carries_so_many_letters_and_no_more(mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LETTERS >= 10
    monkeypatch.setattr(smtp, "LETTERS", 2)
    channel = over(mail)
    for _ in range(5):
        assert channel.send(LETTER) == Delivered()
    assert [mail.callers.count(each) for each in dict.fromkeys(mail.callers)] == [2, 2, 1]
    channel.close()


@pytest.mark.parametrize(
    "then",
    [
        (CUT,),
        (RESET,),
        ("421 4.4.2 idle for too long",),
        (SENDER, CUT),
        (SENDER, "421 closing"),
        (SENDER, RECIPIENT, CUT),
    ],
    ids=["cut", "reset", "said good-bye", "cut at the recipient", "good-bye at the recipient", "cut at DATA"],
)
def test_one_that_died_is_replaced_and_the_letter_leaves_once(then: Sequence[str]) -> None:
    with scripted((*WELL, *then), WELL) as server:
        channel = over(server)
        assert channel.send(LETTER) == Delivered()
        assert channel.send(replace(LETTER, message="msg-2")) == Delivered()
        assert server.connections == 2
        assert [b"<msg-2@" in letter for letter in server.letters] == [False, True]


def test_one_that_dies_while_it_has_the_letter_is_not_replaced() -> None:
    """The letter may be there: sent over another connection it could be there twice."""
    with scripted((*WELL, SENDER, RECIPIENT, GO_ON, CUT), WELL) as server:
        channel = over(server)
        assert channel.send(LETTER) == Delivered()
        assert channel.send(LETTER) == Unknown("SMTPServerDisconnected")
        assert server.connections == 1
        assert channel.send(LETTER) == Delivered()  # and the next letter has a new one
        assert server.connections == 2


def test_a_connection_that_dies_is_replaced_once() -> None:
    with scripted((*WELL, CUT), (CUT,), WELL) as server:
        channel = over(server)
        assert channel.send(LETTER) == Delivered()
        assert channel.send(LETTER) == Failed("SMTPServerDisconnected")
        assert (server.connections, len(server.letters)) == (2, 1)


# -- what is known of a letter ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "outcome", "came_in"),
    [
        ((SILENCE,), Failed("SMTPServerDisconnected"), 0),
        (("421 4.3.2 not now",), Failed("smtp_421"), 0),
        (("554 5.7.1 no mail from you",), Failed("smtp_554"), 0),  # our network, not her address
        ((GREETING, CUT), Failed("SMTPServerDisconnected"), 0),
        ((GREETING, HELLO, "530 5.7.0 log in first"), Failed("smtp_530"), 0),
        ((GREETING, HELLO, "550 5.7.1 not from there", "250"), Failed("smtp_550"), 0),
        ((GREETING, HELLO, SENDER, "450 4.7.1 greylisted", "250"), Failed("smtp_450", hers=True), 0),
        ((GREETING, HELLO, SENDER, "451 4.7.1 greylisted", "250"), Failed("smtp_451", hers=True), 0),
        ((GREETING, HELLO, SENDER, "451 try later", "250"), Failed("smtp_451"), 0),
        ((GREETING, HELLO, SENDER, "452 4.2.2 mailbox full", "250"), Failed("smtp_452", hers=True), 0),
        ((GREETING, HELLO, SENDER, "452 4.3.1 disk full", "250"), Failed("smtp_452"), 0),
        ((GREETING, HELLO, SENDER, "550 5.1.1 no such user", "250"), Failed("smtp_550", again=False), 0),
        ((GREETING, HELLO, SENDER, "553 5.1.8 sender not known", "250"), Failed("smtp_553"), 0),
        ((GREETING, HELLO, SENDER, "421 closing"), Failed("smtp_421"), 0),
        ((GREETING, HELLO, SENDER, SILENCE), Failed("SMTPServerDisconnected"), 0),
        ((GREETING, HELLO, SENDER, RECIPIENT, "451 4.3.0 later", "250"), Failed("smtp_451"), 0),
        ((GREETING, HELLO, SENDER, RECIPIENT, CUT), Failed("SMTPServerDisconnected"), 0),
        ((GREETING, HELLO, SENDER, RECIPIENT, GO_ON, "250"), Delivered(), 1),
        ((GREETING, HELLO, SENDER, RECIPIENT, GO_ON, "451 4.3.0 later"), Failed("smtp_451"), 1),
        ((GREETING, HELLO, SENDER, RECIPIENT, GO_ON, "421 4.3.2 closing"), Failed("smtp_421"), 1),
        ((GREETING, HELLO, SENDER, RECIPIENT, GO_ON, "554 5.7.1 spam"), Failed("smtp_554", again=False), 1),
        ((GREETING, HELLO, SENDER, RECIPIENT, GO_ON, CUT), Unknown("SMTPServerDisconnected"), 1),
        ((GREETING, HELLO, SENDER, RECIPIENT, GO_ON, RESET), Unknown("SMTPServerDisconnected"), 1),
        ((GREETING, HELLO, SENDER, RECIPIENT, GO_ON, SILENCE), Unknown("SMTPServerDisconnected"), 1),
        ((GREETING, HELLO, SENDER, RECIPIENT, GO_ON, "what?"), Unknown("smtp_-1"), 1),
    ],
)
def test_how_far_a_letter_got_is_told_apart(script: Sequence[str], outcome: Outcome, came_in: int) -> None:
    with scripted(script) as server:
        assert over(server).send(LETTER) == outcome
        assert len(server.letters) == came_in
        assert server.connections == 1


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ((NO_END,), Failed("SMTPServerDisconnected")),
        ((*WELL[:-1], NO_END), Unknown("SMTPServerDisconnected")),
    ],
    ids=["before it waits for the letter", "after it"],
)
def test_an_answer_that_never_ends_is_cut_off(script: Sequence[str], outcome: Outcome) -> None:
    with scripted(script) as server:
        found = SmtpServer.of(server.url, OUR_ADDRESS)
        assert found is not None
        assert Smtp(found, OUR_ADDRESS, all_seconds=0.1).send(LETTER) == outcome


def test_a_password_that_is_not_right_is_for_a_person_to_mend() -> None:
    with scripted((GREETING, "250-mail.example\r\n250 AUTH PLAIN", "535 5.7.8 wrong for me@mail.example")) as server:
        found = SmtpServer.of(server.url.replace("mailto://", "mailto://me:secret@"), OUR_ADDRESS)
        assert found is not None
        assert Smtp(found, OUR_ADDRESS).send(LETTER) == Failed("smtp_535")


def test_a_host_that_does_not_exist_is_tried_again() -> None:
    found = SmtpServer.of("mailto://mail.invalid", OUR_ADDRESS)
    assert found is not None
    assert Smtp(found, OUR_ADDRESS).send(LETTER) == Failed("gaierror")


def test_a_server_that_does_not_speak_tls_gets_neither_letter_nor_password() -> None:
    with scripted(WELL) as server:
        url = server.url.replace("mailto://", "mailtos://me:secret@") + "&mode=ssl"
        found = SmtpServer.of(url, OUR_ADDRESS)
        assert found is not None
        outcome = Smtp(found, OUR_ADDRESS).send(LETTER)
        assert isinstance(outcome, Failed)
        assert outcome.again
        assert server.letters == []
        assert "secret" not in repr(found)


def test_over_tls_to_whoever_proves_who_it_is(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(tmp_path))
    server = MailServer(context)
    server.start()
    try:
        url = server.url.replace("mailto://", "mailtos://")
        for address, outcome in ((url, Failed("SSLCertVerificationError")), (f"{url}?verify=no", Delivered())):
            found = SmtpServer.of(address, OUR_ADDRESS)
            assert found is not None
            channel = Smtp(found, OUR_ADDRESS)
            assert channel.send(LETTER) == outcome
            channel.close()
        assert len(server.taken) == 1
    finally:
        server.stop()


def test_lines_that_begin_with_a_dot_arrive_as_they_are() -> None:
    text = "Beste Zoë,\n.\n..twee\n. drie\n"
    with scripted(WELL) as server:
        assert over(server).send(replace(LETTER, text=text)) == Delivered()
    (letter,) = server.letters
    assert b"\r\n...twee\r\n" in letter  # on the line each such line has one more
    assert text_of(read(letter.replace(b"\r\n..", b"\r\n."))) == text
