"""What a letter looks like as an e-mail, read back by the standard library's own parser."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifying.discretion import one_line
from services.notifying.letter import AddressError, Letter, check_address, check_phone
from services.notifying.mime import Transfer, build_email, thread_id
from tests.sampling import examples
from tests.services.notifying.sample_letter import LETTER, SENDER, read, text_of

HTML = '<!doctype html><html lang="nl"><body><p>Beste Zoë de Wit,</p><p>Kosten: € 85,00 &amp; meer.</p></body></html>\n'
ABOUT = replace(LETTER, order="W-1001", html=HTML)
TRANSFERS: tuple[Transfer, ...] = ("8bit", "quoted-printable")


def built(letter: Letter, transfer: Transfer = "quoted-printable") -> EmailMessage:
    content = build_email(letter, SENDER, transfer)
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    if transfer == "quoted-printable":
        assert content.isascii()
    email = read(content)
    assert not email.defects
    assert len(email.keys()) == len({name.lower() for name in email})
    return email


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_text_comes_first_and_the_same_in_html_after_it(transfer: Transfer) -> None:
    email = built(ABOUT, transfer)
    assert email.get_content_type() == "multipart/alternative"
    text, html = email.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert (text.get_content_charset(), html.get_content_charset()) == ("utf-8", "utf-8")
    assert (text_of(text), text_of(html)) == (LETTER.text, HTML)
    assert not text.defects
    assert not html.defects
    assert email.get_body(("plain",)) is not None


def test_all_letters_about_one_order_are_one_thread() -> None:
    first, second = built(ABOUT), built(replace(ABOUT, message="msg-2"))
    other = built(replace(ABOUT, order="W-1002"))
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == first["In-Reply-To"] == second["References"] == thread_id("W-1001", SENDER)
    assert other["References"] != first["References"]
    assert "W-1001" not in first["References"]
    assert built(LETTER)["References"] is None  # about no order


def test_a_mail_program_can_unsubscribe_from_one_order() -> None:
    assert built(ABOUT)["List-Unsubscribe"] == f"<mailto:{SENDER}?subject=stop%20W-1001>"
    odd = built(replace(ABOUT, order="W 1&cc=all@example.com>"))
    assert odd["List-Unsubscribe"] == f"<mailto:{SENDER}?subject=stop%20W%201%26cc%3Dall%40example.com%3E>"
    assert built(ABOUT)["List-Unsubscribe-Post"] is None  # there is no web page to post to


def test_machines_are_told_not_to_answer() -> None:
    email = built(ABOUT)
    assert email["Auto-Submitted"] == "auto-generated"
    assert email["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert email["Content-Language"] == "nl"


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "geen einde",
        "a\r\nb\rc\n",
        ".\n..\n. x\n",
        "x" * 2_000 + "\n",
        "€" * 900 + "\n",
        "= =20 \t\n",
        "--=_msg-1\n",
    ],
)
def test_no_text_is_changed_on_its_way(text: str, transfer: Transfer) -> None:
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    expected = expected if expected.endswith("\n") else expected + "\n"
    letter = replace(LETTER, text=text, message="msg-1")
    assert text_of(built(letter, transfer)) == expected
    text_part = built(replace(letter, html="<p>--=_msg-1--</p>\n"), transfer).get_body(("plain",))
    assert isinstance(text_part, EmailMessage)
    assert text_of(text_part) == expected


NAMES = [
    "Anna",
    "Zoë de Wit",
    'Anna "Ans" O\'Neil, M.Sc. (Leiden) <x@y> \\',
    "=?utf-8?q?Anna?=",
    "李小龍",
    "Ľubomíra Šťastná-Krásnohorská van der Österreichischen Nachrichtenagentur",
    "A" * 200,
    "a.b; group: c,",
    "\N{RIGHT-TO-LEFT OVERRIDE}annA\r\nBcc: all@example.com",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_arrive_as_they_are_written(name: str) -> None:
    letter = replace(LETTER, to_name=name, from_name=name, subject=name)
    email, shown = built(letter), one_line(name)
    plain = message_from_bytes(build_email(letter, SENDER, "quoted-printable"), policy=policy.compat32)
    for header, address in (("To", LETTER.to_address), ("From", SENDER), ("Reply-To", "service@juno.example")):
        (mailbox,) = email[header].addresses
        assert mailbox.addr_spec == address
        # The newer parser leaves a space between the parts of a long name that was encoded (RFC 2047 has none there).
        assert parseaddr(str(make_header(decode_header(plain[header]))))[0] == shown or mailbox.display_name == shown
    assert " ".join(email["Subject"].split()) == shown
    assert email["Bcc"] is None


@settings(max_examples=examples(30, 100), deadline=None)
@given(name=st.text(max_size=120), subject=st.text(max_size=300), text=st.text(max_size=400))
def test_whatever_is_in_a_letter_is_in_the_mail(name: str, subject: str, text: str) -> None:
    text = text.replace("\0", "")
    email = built(replace(LETTER, to_name=name, subject=subject, text=text))
    encodable = text.encode("utf-8", "replace").decode()
    expected = encodable.replace("\r\n", "\n").replace("\r", "\n")
    assert text_of(email).rstrip("\n") == expected.rstrip("\n")
    (mailbox,) = email["To"].addresses
    assert mailbox.addr_spec == LETTER.to_address
    assert set(email.keys()) == set(built(LETTER).keys())


def test_a_long_subject_is_folded() -> None:
    subject = "Uw Halden Meridian: " + "er is nieuws over de reparatie " * 6
    content = build_email(replace(LETTER, subject=subject), SENDER, "quoted-printable")
    assert max(len(line) for line in content.split(b"\r\n\r\n")[0].split(b"\r\n")) <= 78
    assert read(content)["Subject"] == one_line(subject)


def test_domains_in_other_scripts_are_written_in_ascii() -> None:
    assert check_address("anna@straße.example") == "anna@xn--strae-oqa.example"  # another domain than strasse.example
    assert check_address("anna@例え.example") == "anna@xn--r8jz45g.example"
    with pytest.raises(AddressError):
        check_address("anna@\N{ZERO WIDTH SPACE}.example")


def test_old_mail_programs_read_it_too() -> None:
    message = message_from_bytes(build_email(ABOUT, SENDER, "quoted-printable"), policy=policy.compat32)
    assert message.is_multipart()
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]


@pytest.mark.parametrize("number", ["+31612345678", "+31 6 1234-5678", "+1 (415) 555.0100"])
def test_numbers_are_written_with_their_country(number: str) -> None:
    assert check_phone(number).removeprefix("+").isdigit()


@pytest.mark.parametrize(
    "number", ["0612345678", "+0612345678", "+31", "+3161234567890123", "+31612345678;+1", "anna", ""]
)
def test_a_number_without_its_country_is_nobodys(number: str) -> None:
    with pytest.raises(AddressError) as refused:
        check_phone(number)
    assert not number or number not in str(refused.value)
