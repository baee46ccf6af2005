"""policy check and policy show."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.render.policy import summary
from projections.policy import BUILT_IN_TEXT, DEFAULT_POLICY, Policy
from services.home import HomeFolder
from tests.cli.drawing import draw
from tests.cli.running import answer, call, sentence

OWN = """
[allow]
receive = "90 working minutes"
[levels.check]
nudge = "50%"
due = []
[[override]]
party = "importer:noord"
from = "retailer:juno"
kind = ["receive", "answer"]
allow = "3 working days"
[calendars.north]
parties = ["importer:noord"]
holidays = "NL"
saturday = "9-12, 13-16"
"""


def test_the_built_in_policy_is_printed_to_start_from(free_home: Path) -> None:
    shown = call("policy", "show", home=free_home)
    assert shown.exit_code == 0
    assert shown.stdout == BUILT_IN_TEXT


def test_without_a_file_the_built_in_policy_is_checked(free_home: Path) -> None:
    told = call("policy", "check", home=free_home).stdout
    assert f"the built-in policy can be used (digest {DEFAULT_POLICY.digest})" in told
    assert "Who is open when\n  everybody\n    Mon–Fri 09:00-17:00, Sat–Sun closed; Europe/Amsterdam" in told
    assert answer("policy", "check", home=free_home) == {
        "file": None,
        "digest": DEFAULT_POLICY.digest,
        "policy": DEFAULT_POLICY.canonical(),
        "notes": [],
    }


def test_the_policy_at_home_is_checked(free_home: Path) -> None:
    free_home.mkdir()
    file = HomeFolder(free_home).policy
    file.write_text(OWN, encoding="utf-8")
    told = call("policy", "check", home=free_home).stdout
    assert told.startswith(str(file))
    for expected in (
        "90 working minutes",
        "importer:noord from retailer:juno  3 working days  receive, answer",
        "every kind but forward, update, check, call",
        "a nudge at 50% of the time; when late tell nobody; 1 working day later accountable",
        "a nudge at 95% of the time; when late tell customer; 2 days, 4 days, 8 days, 16 days, 32 days",
        "Sat 09:00-12:00, 13:00-16:00, Sun closed; Europe/Amsterdam; holidays of NL",
        "note: importer:noord from retailer:juno is more precise than urgent and safety",
    ):
        assert expected in told
    assert answer("policy", "check", home=free_home)["digest"] == Policy.parse(OWN).digest


def test_a_file_that_is_named_wins(free_home: Path, tmp_path: Path) -> None:
    free_home.mkdir()
    HomeFolder(free_home).policy.write_text("[alow]\n", encoding="utf-8")
    (tmp_path / "good.toml").write_text(OWN, encoding="utf-8")
    assert call("policy", "check", tmp_path / "good.toml", home=free_home).exit_code == 0
    told = sentence(call("policy", "check", home=free_home))
    assert told.endswith("policy.toml: the policy names the section 'alow', which there is not: did you mean allow?")


def test_files_that_cannot_be_used(free_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    assert "'repairchain policy show' prints one" in sentence(call("policy", "check", file, home=free_home))
    file.write_bytes(b"\xff")
    assert "is not UTF-8 text" in sentence(call("policy", "check", file, home=free_home))
    file.write_text("[allow]\nreceive = 2\n", encoding="utf-8")
    assert sentence(call("policy", "check", file, home=free_home)).endswith('such as "2 working days".')


@pytest.mark.parametrize("width", [40, 60, 100])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    text = draw(summary(Policy.parse(OWN), "mine.toml"), width)
    assert max(len(line) for line in text.splitlines()) <= width
