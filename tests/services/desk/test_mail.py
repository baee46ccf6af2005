"""What is read out of a letter: her own new words, what it refers to, and whether a person wrote it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.desk.mail import Bounce, MailError, read_mail
from services.desk.mail_text import new_words
from tests.sampling import examples
from tests.services.desk.letters import OURS, bounce, letter

ROOT = "order-0123456789abcdef01234568"


def test_a_letter_of_hers() -> None:
    mail = read_mail(
        letter(
            "The brown one.",
            to='"Juno" <repairs+W-1001@shop.example>',
            In_Reply_To=f"<{OURS}@shop.example>",
            References=f"<{ROOT}@shop.example> <{OURS}@shop.example> <x@post.example>",
            Date="Mon, 2 Mar 2026 10:00:00 +0100",
        ).as_bytes()
    )
    assert (mail.kind, mail.text, mail.id) == ("word", "The brown one.", "<1@post.example>")
    assert mail.replies_to == (OURS, ROOT)
    assert mail.tags == ("W-1001",)
    assert mail.date == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert "Unlikely" not in repr(mail)
    assert mail.sender == "Zo Unlikely"


@pytest.mark.parametrize(
    "text",
    [
        "Left.\n\nOn Mon, Mar 2, 2026 at 10:00 AM Juno <r@shop.example> wrote:\n\n> Which one?\n>\n> Bye",
        "Left.\n\nOp ma 2 mrt 2026 om 10:00 schreef Juno <r@shop.example>:\n> Welke?",
        "Left.\n\nAm 02.03.2026 um 10:00 schrieb Juno <r@shop.example>:\n> Welche?",
        "Left.\n\n-----Original Message-----\nFrom: Juno\nSent: Monday\n\nWhich?",
        "Left.\r\n\r\nVon: Juno <r@shop.example>\r\nGesendet: Montag, 2. März 2026\r\nBetreff: Uhr\r\n\r\nWelche?",
        "Left.\n\nMet vriendelijke groet,\nZo Unlikely\n0612345678\n",
        "> Which one?\nLeft.\n> Bye",
    ],
)
def test_only_her_new_words_are_taken(text: str) -> None:
    assert new_words(text) == "Left."


def test_a_letter_in_html_alone_is_read_as_text() -> None:
    email = letter()
    email.set_content(
        "<html><head><style>p {color: red}</style></head><body><p>Left &amp; brown.</p>"
        "<blockquote><p>Which one?</p></blockquote></body></html>",
        subtype="html",
    )
    assert read_mail(email.as_bytes()).text == "Left & brown."


def test_what_she_attached_is_named_and_not_kept() -> None:
    email = letter("See the picture.")
    email.add_attachment(b"\0" * 1_000, maintype="image", subtype="jpeg", filename="crown.jpg")
    assert read_mail(email.as_bytes()).text == "See the picture.\n\n[attached: crown.jpg]"


@pytest.mark.parametrize(
    "header",
    [
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"List_Id": "<news.example>"},
    ],
)
def test_what_a_machine_wrote_is_known(header: dict[str, str]) -> None:
    mail = read_mail(letter(**header).as_bytes())
    assert (mail.kind, mail.text) == ("automatic", "")


def test_a_person_may_say_that_no_machine_wrote_it() -> None:
    assert read_mail(letter(Auto_Submitted="no").as_bytes()).kind == "word"


@pytest.mark.parametrize(
    ("subject", "text", "kind"),
    [
        ("stop W-1001", "This message was automatically generated.", "stop"),  # what mail programs write
        ("Re: STOP", "", "stop"),
        ("afmelden", "> quoted", "stop"),
        ("Stop", "stop!", "stop"),
        ("Stop", "Please do not repair it, I have a new one.", "word"),
        ("afmelden afspraak donderdag", "", "word"),
        ("Stopwatch", "", "word"),
    ],
)
def test_stop_is_stop(subject: str, text: str, kind: str) -> None:
    mail = read_mail(letter(text, subject=subject).as_bytes())
    assert (mail.kind, bool(mail.text)) == (kind, kind == "word" and bool(text))
    assert mail.address == "zo@post.example"


def test_a_letter_of_ours_that_came_back_for_good() -> None:
    mail = read_mail(bounce())
    assert (mail.kind, mail.bounce) == ("bounce", Bounce(OURS, "5.1.1"))


def test_one_that_is_still_on_its_way_is_no_news() -> None:
    assert read_mail(bounce("4.2.2", action="Action: delayed")).kind == "automatic"
    assert read_mail(bounce("4.2.2", action="X-Action: none")).kind == "automatic"


@pytest.mark.parametrize(
    ("action", "status", "said"),
    [
        ("Action: failed", "4.4.7", "4.4.7"),  # tried for days, and given up
        ("Action: failed", "unknown", "5.0.0"),
        ("X-Action: none", "5.7.1", "5.7.1"),  # servers that leave out the action
    ],
)
def test_what_a_server_has_given_up_came_back(action: str, status: str, said: str) -> None:
    assert read_mail(bounce(status, action=action)).bounce == Bounce(OURS, said)


def test_numbers_in_it_may_be_that_of_the_order() -> None:
    mail = read_mail(
        letter("My watch HM-20417, from 2 March; ask zo9@post.example", subject="Order W-1001?").as_bytes()
    )
    assert mail.numbers[:2] == ("W-1001", "HM-20417")
    assert not any("@" in number or "post" in number for number in mail.numbers)


def test_a_character_set_that_nobody_knows_is_read_as_well_as_can_be() -> None:
    raw = b"From: a@post.example\nSubject: x\nContent-Type: text/plain; charset=klingon\n\nThe brown one \xe9.\n"
    assert read_mail(raw).text.startswith("The brown one")


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"hello there\n"])
def test_what_is_no_letter_is_told(raw: bytes) -> None:
    with pytest.raises(MailError):
        read_mail(raw)


@settings(max_examples=examples(30, 100), deadline=None)
@given(st.binary(max_size=2_000))
def test_nothing_that_comes_in_breaks_it(raw: bytes) -> None:
    for each in (
        raw,
        b"From: a@b.example\n" + raw,
        b"From: a@b.example\nContent-Type: multipart/report; boundary=x\n\n--x\n" + raw,
    ):
        try:
            read_mail(each)
        except MailError:
            continue
