"""What partners write is passed on only where it gives no link of the chain away."""

from __future__ import annotations

import pytest

from services.notifying.discretion import one_line, part_is_gone, passed_on


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("new crown and stem", "new crown and stem"),
        ("Replaced the stem.\nTested.", "Replaced the stem. Tested"),
        ("Atelier Tick replaced the stem", None),
        ("the people at noordzee lost it", None),
        ("sent back by the importer", None),
        ("call 020 555 0199", None),
        ("call us on 020 555 01 01", "call us on 020 555 01 01"),
        ("call us on 020 555 01 01 or 020 555 0199", None),
        ("write to bench@example.com", None),
        ("Juno asked for a new strap", "Juno asked for a new strap"),
        ("x" * 201, None),
        ("\u202e\x00 ", None),
        (None, None),
    ],
)
def test_what_partners_write_is_passed_on_with_discretion(text: str | None, told: str | None) -> None:
    ours = ["Juno Watches", "020 555 01 01", ""]
    assert passed_on(text, ["Atelier Tick", "noordzee", "Juno Trading"], ours) == told


def test_an_answer_may_be_longer() -> None:
    assert passed_on("x" * 900, [], longest=1_000) == "x" * 900
    assert passed_on("x" * 1_001, [], longest=1_000) is None


@pytest.mark.parametrize(
    ("why", "gone"),
    [
        ("the part cannot be had", True),
        ("part_unavailable", True),
        ("Parts are no longer available", True),
        ("the part is no longer made", True),
        ("Onderdeel niet meer leverbaar", True),
        ("het onderdeel wordt niet meer gemaakt", True),
        ("het onderdeel past niet", False),
        ("the case is cracked", False),
        (None, False),
    ],
)
def test_the_reason_that_we_have_words_for(why: str | None, gone: bool) -> None:
    assert part_is_gone(why) is gone


def test_one_line_is_one_line() -> None:
    assert one_line("a\r\nb\t\u2028c\x00\u200bd") == "a b c d"
