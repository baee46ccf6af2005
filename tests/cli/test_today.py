"""today: what a party has to look after, asked of a file that no chain serves; and the language it is written to in."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.render.today import briefing
from services.parties import list_parties
from tests.cli.drawing import MOMENTS, draw
from tests.cli.running import answer, call, sentence
from tests.cli.story import HISTORY, SHOP, STORY, make_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("today") / "home", [*STORY, *HISTORY])


def test_the_list_of_a_party_is_on_one_screen(home: Path) -> None:
    text = call("today", SHOP, home=home).stdout
    assert text.startswith(f"What {SHOP} has to look after\n")
    assert "Late, the longest first" in text
    assert "importer:noord" in text
    assert "and is not late with" not in text  # it answers for all that it owes


def test_a_line_says_who_is_to_do_what_by_when(home: Path) -> None:
    lines = call("today", SHOP, "--limit", "100", home=home, columns=140).stdout.splitlines()
    head = next(number for number, line in enumerate(lines) if line == "Late, the longest first") + 1
    assert lines[head].split() == ["Order", "Who", "is", "to", "by", "that", "is"]
    late = [" ".join(line.split()) for line in lines[head + 2 :]]
    assert [line for line in late if line.startswith("H-0 importer:noord say that it came in Wed 18 Nov 10:00 ")]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"message_kind": "person"}, "call the customer, as she was told that somebody would"),
        ({"message_kind": "quote", "reason": "smtp_550"}, "; the message did not arrive: smtp 550"),
        ({}, "call the customer "),
    ],
)
def test_a_call_says_why_it_is_owed(call: dict[str, str], said: str) -> None:
    """Of one that was promised no message failed."""
    rows = [{"order": "W-1", "due_at": "2026-11-20T10:00:00Z", "state": "open"} | call]
    told = draw(briefing({"party": SHOP, "calls": rows, "totals": {"calls": 1}}, MOMENTS), 200)
    (line,) = [line for line in told.splitlines() if line.startswith("W-1")]
    assert said in line
    assert ("did not arrive" in line) == ("reason" in call)


@pytest.mark.parametrize(
    ("part", "row"),
    [
        ("asked", {"text": "When is it done?", "owner": SHOP, "due_at": "2026-11-19T10:00:00Z", "state": "open"}),
        ("contacts", {"text": "It stands still.", "party": SHOP, "contacted_at": "2026-11-17T10:00:00Z"}),
        ("overdue", {"kind": "answer", "owner": SHOP, "to_customer": True, "state": "overdue"}),
    ],
)
def test_nobody_is_sent_to_call_one_who_asked_and_was_forgotten(part: str, row: dict[str, str]) -> None:
    def told(forgotten: bool | None) -> str:
        rows = [row | {"order": "W-1", "customer_forgotten": forgotten}]
        return draw(briefing({"party": SHOP, part: rows, "totals": {part: 1}}, MOMENTS), 200)

    said = "; she was forgotten: there is no way to call or write to her"
    assert said in told(True)
    assert [each for each in (False, None) if said in told(each)] == []


def test_what_stays_at_her_home_is_not_to_be_sent_on() -> None:
    row = {"order": "W-1", "kind": "forward", "owner": SHOP, "state": "overdue"}

    def told(at_home: bool) -> str:
        rows = [row | {"at_home": at_home}]
        return draw(briefing({"party": SHOP, "overdue": rows, "totals": {"overdue": 1}}, MOMENTS), 200)

    assert "plan a visit" in told(True)
    assert "send it on" in told(False)


def test_a_part_is_cut_where_it_is_told_to_be(home: Path) -> None:
    found = answer("today", SHOP, "--limit", "1", home=home)
    assert (found["party"], len(found["orders"])) == (SHOP, 1)
    assert found["totals"]["open"] > 1
    assert "more: --limit" in call("today", SHOP, "--limit", "1", home=home).stdout


def test_without_a_party_it_says_who_has_one(home: Path) -> None:
    assert SHOP in [row["party"] for row in answer("today", home=home)["briefings"]]
    assert "repairchain today ROLE:NAME" in call("today", home=home).stdout


def test_who_has_nothing_is_told_so(home: Path) -> None:
    assert call("today", "retailer:bolt", home=home).stdout.startswith("retailer:bolt has nothing to look after.\n")


@pytest.mark.parametrize(
    ("party", "said"),
    [("juno", "is not a party"), ("customer:C-1", "is not a party"), ("retailer:", "is not a party")],
)
def test_only_partners_have_a_list(home: Path, party: str, said: str) -> None:
    assert said in sentence(call("today", party, home=home))


def test_a_party_is_written_to_in_its_language(free_home: Path) -> None:
    assert call("partner", "add", SHOP, "--language", "nl", home=free_home).exit_code == 0
    assert call("partner", "add", SHOP, "--phone", "555", home=free_home).exit_code == 0
    assert list_parties(free_home)[SHOP].language == "nl"
    assert call("partner", "add", "retailer:bolt", home=free_home).exit_code == 0
    assert list_parties(free_home)["retailer:bolt"].language is None
    assert sentence(call("partner", "add", SHOP, "--language", "xx", home=free_home)).endswith(
        "the chain writes in en or nl, not in 'xx'."
    )
