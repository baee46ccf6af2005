"""What of her words goes into the log: not who she is, nor where she lives; and of all else as much as can be."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contact import Channel, Contact
from services.desk.redacting import LONGEST, MARK, redacted

HER = Contact(
    name="Jo van Unlikely-Smit",
    channels=(Channel(kind="email", address="jo@post.example"), Channel(kind="sms", address="+31612345678")),
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to jo@post.example, please.", "Write to […], please."),
        ("Or to my.son+x@mail.example!", "Or to […]"),
        ("Call 06-12 34 56 78 or +31 (0)6 1234 5678.", "Call […] or […]."),
        ("Call 0612345678, or 020 123 4567 at night", "Call […], or […] at night"),
        ("Call (555) 123-4567 or 555-0100.", "Call […] or […]."),
        ("Pay NL91 ABNA 0417 1643 00, or nl91abna0417164300.", "Pay […], or […]."),
        ("Kerkstraat 12b, 1234 AB Utrecht", "[…] Utrecht"),
        ("I am at 1234 AB, 12", "I am at […]"),
        ("Hauptstraße 5, 10115 Berlin", "[…] Berlin"),
        ("10 Downing Street, SW1A 2AA", "[…]"),
        ("12 rue de la Paix, 75002 Paris", "[…] Paris"),
        ("jo VAN unlikely-smit here", "[…] here"),
        ("This is UNLIKELY; it is Smit's watch, says Jo.", "This is […]; it is […]'s watch, says […]."),
    ],
)
def test_what_tells_who_she_is_is_taken_out(text: str, left: str) -> None:
    assert redacted(text, HER) == left


@pytest.mark.parametrize(
    "text",
    [
        "Order W-1001, serial 12345678, A-00123456, invoice 2026-0001.",
        "On 2026-11-21 or 21-11-2026 or 01-02-2026, at 09:00.",
        "It costs 0,50 euro, or 1.000.000, or EUR 80.",
        "A model 3000 XL of 1500 VA; in 2024 IS was the code. Fault 3Y, 00:15.",
        "The door of the van is open; johan and smithy are others.",
    ],
)
def test_what_the_work_needs_stays(text: str) -> None:
    assert redacted(text, HER) == text


def test_a_short_name_goes_only_where_it_is_written_as_one() -> None:
    an = Contact(name="An Li")
    assert (
        redacted("An says that an answer is due. LI is no name.", an)
        == "[…] says that an answer is due. LI is no name."
    )


def test_without_a_record_it_still_takes_out_what_has_a_shape() -> None:
    assert redacted("Jo, jo@post.example, 0612345678", None) == "Jo, […]"


def test_accents_that_are_written_in_two_ways_are_the_same() -> None:
    assert redacted("This is Zoe\u0308.", Contact(name="Zo\u00eb Kanariella")) == "This is […]."


def test_a_book_is_cut() -> None:
    text = redacted("word " * 5_000, None)
    assert len(text) <= LONGEST
    assert text.endswith("word…")


@given(st.text(), st.text())
def test_her_addresses_never_come_through(before: str, after: str) -> None:
    text = redacted(f"{before} jo@post.example, +31612345678 Unlikely {after}", HER)
    for secret in ("jo@post.example", "612345678", "unlikely"):
        assert secret not in text.casefold()


@pytest.mark.parametrize("piece", ["a", "-", "1 ", "(", "A ", "AB12 ", "1234 AB ", "+1 ", "A'", "a@", "straat "])
def test_no_text_takes_long(piece: str) -> None:
    begin = time.process_time()
    redacted(piece * 10_000, HER)
    assert time.process_time() - begin < 1


def test_marks_beside_each_other_are_one() -> None:
    assert redacted("jo@post.example, 0612345678; Unlikely", HER) == MARK
