"""What is printed as sentences."""

from __future__ import annotations

import sys

import pytest

from cli.output import say

PATH = "/srv/repairchain/credentials/retailer.a-name-with-hyphens.nk"


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")


def test_a_sentence_is_broken_between_words_for_who_looks_at_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    say(f"Once handed over the secret in {PATH} may be deleted here.\n")
    say(f"  repairchain publish FILE --as retailer:juno {PATH}")
    assert capsys.readouterr().out.splitlines() == [
        "Once handed over the secret in",
        PATH,
        "may be deleted here.",
        "",
        f"  repairchain publish FILE --as retailer:juno {PATH}",
    ]


def test_a_program_gets_it_whole(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = f"Once handed over the secret in {PATH} may be deleted here."
    say(sentence)
    assert capsys.readouterr().out == f"{sentence}\n"
