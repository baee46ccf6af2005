"""commitments, ball, promises, stalled, calendar and policy explain, asked of a file that no chain serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.output import moments_now
from cli.render.owed import has_not, paused, to_do
from events.envelope import Event
from projections.policy import KINDS, Policy
from tests.cli.running import answer, call, sentence
from tests.cli.story import BENCH, HISTORY, IMPORTER, SHOP, at, fact, make_home

TEXT = """
[[override]]
party = "importer:noord"
from = "retailer:juno"
kind = "receive"
allow = "3 working days"
[calendars.noord]
parties = ["importer:noord"]
holidays = "NL"
"""
POLICY = Policy.parse(TEXT)
ADOPTED = {"digest": POLICY.digest, "policy": POLICY.canonical()}
CLOSED = {"from": "2026-12-28T11:00:00Z", "until": "2026-12-29T23:00:00Z", "reason": "stocktaking"}
PROMISED = {"promise": "p1", "what": "mended", "by_when": "2026-11-20T16:00:00Z"}
MOVED = {"promise": "p1", "by_when": "2026-11-24T16:00:00Z", "reason": "a part"}
DESK_LAMP = {"description": "desk lamp"}
LAMP = {"brand": "Lux", "model": "Six", "category": "lamp"}

FACTS: list[Event] = [
    fact("policy.adopted", "chain:keeper", at(2, 8), ADOPTED, id="y", order="chain:policy"),
    fact("party.closed", IMPORTER, at(2, 8), CLOSED, id="c", order=IMPORTER),
    fact("order.opened", SHOP, at(2, 9), {"customer": "C-1", "product": LAMP}, id="a1"),
    fact("item.handed_over", SHOP, at(2, 10), {"to": IMPORTER}, id="a2"),
    fact("item.received", IMPORTER, at(4, 10), {}, id="a3"),
    fact("item.handed_over", IMPORTER, at(9, 10), {"to": BENCH}, id="a4"),
    fact("item.received", BENCH, at(10, 10), {}, id="a5"),
    fact("diagnosis.made", BENCH, at(11, 10), {"summary": "lime"}, id="a6"),
    fact("promise.made", BENCH, at(12, 10), PROMISED, id="a7"),
    fact("promise.moved", BENCH, at(17, 10), MOVED, id="a8"),
    fact(
        "order.opened",
        SHOP,
        at(16, 9),
        {"customer": "C-2", "product": DESK_LAMP},
        id="b1",
        order="W-2",
    ),
    fact("diagnosis.made", SHOP, at(16, 10), {"summary": "loose"}, id="b2", order="W-2"),
    fact("work.paused", SHOP, at(17, 10), {"waiting_for": "customer", "why": "colour?"}, id="b3", order="W-2"),
]
#: The moment that the tests ask about.
THEN = ("--as-of", "2026-11-18T09:00Z")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("owed") / "home", [*FACTS, *HISTORY])


def kinds(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["kind"], row["state"]) for row in rows]


def test_the_commitments_of_an_order(home: Path) -> None:
    result = answer("commitments", "W-1001", *THEN, home=home)
    assert ("receive", "met") in kinds(result["commitments"])
    assert ("forward", "met_late") in kinds(result["commitments"])
    (repair,) = [row for row in result["commitments"] if row["kind"] == "repair"]
    assert (repair["order"], repair["owner"], repair["promised_by"], repair["promises"]) == ("W-1001", BENCH, BENCH, 2)
    assert result["ball"]["kind"] == "repair"
    assert {row["party"] for row in result["time_spent"]} == {SHOP, IMPORTER, BENCH}
    assert {row["working_day_seconds"] for row in result["time_spent"]} == {8 * 3_600}
    told = call("commitments", "W-1001", *THEN, home=home, columns=140).stdout
    assert "Next        repairer:tick is to repair it by Tue 24 Nov" in told
    # Since Monday at 11:00 in Amsterdam: six hours, six days of eight, and one hour on Wednesday.
    assert "Waited for  repairer:tick 9 days (6.9 working days)" in told
    assert "importer:noord is to send it on" in told


def test_some_of_the_commitments(home: Path) -> None:
    def found(*args: str) -> set[str]:
        rows = answer("commitments", *args, *THEN, home=home)["commitments"]
        return {row["state"] for row in rows}

    assert found("--open") == {"open", "overdue", "paused"}
    assert found("--overdue") == {"overdue"}
    assert found("--missed") == {"overdue", "met_late"}
    owned = answer("commitments", "--owner", BENCH, "--kind", "receive", *THEN, home=home)["commitments"]
    assert [(row["kind"], row["owner"]) for row in owned] == [("receive", BENCH)]
    assert len(answer("commitments", "--limit", "2", *THEN, home=home)["commitments"]) == 2
    assert "Nothing of that kind was owed." in call("commitments", "--owner", "repairer:x", home=home).stdout


def test_questions_that_make_no_sense(home: Path) -> None:
    assert sentence(call("commitments", "--open", "--missed", home=home)).startswith("ask for one of --open,")
    assert sentence(call("commitments", "--kind", "recieve", home=home)) == (
        "there is no kind 'recieve': did you mean receive?"
    )
    assert sentence(call("ball", "--party", "noord", home=home)).startswith("'noord' is not a party: write role:name")
    assert all(kind in sentence(call("commitments", "--kind", "sing", home=home)) for kind in KINDS)


def test_whose_move_it_is(home: Path) -> None:
    rows = answer("ball", *THEN, home=home)["ball"]
    moves = {row["order"]: (row["owner"], row["kind"]) for row in rows}
    assert (moves["W-1001"], moves["W-2"]) == ((BENCH, "repair"), ("customer:C-2", "answer"))
    assert "the customer is to answer" in call("ball", *THEN, home=home).stdout
    work = answer("ball", "--party", SHOP, *THEN, home=home)["ball"]
    assert ("repair", "paused") in kinds(work)
    told = call("ball", "--party", SHOP, *THEN, home=home).stdout
    assert told.splitlines()[1] == "What retailer:juno is to do, the most urgent first"
    assert "paused, waits for the customer" in told
    assert "repairer:x owes nothing." in call("ball", "--party", "repairer:x", home=home).stdout


def test_promises_and_what_became_of_them(home: Path) -> None:
    result = answer("promises", "--as-of", "2026-11-26T16:00Z", home=home)
    (promise,) = result["promises"]
    assert (promise["kind"], promise["kept"], promise["late_seconds"]) == ("repair", False, 2 * 86_400)
    assert result["parties"] == [
        {"party": BENCH, "promises": 1, "kept": 0, "missed": 1, "open": 0, "moved": 1, "late_p50": 2 * 86_400}
    ]
    told = call("promises", "--party", BENCH, "--as-of", "2026-11-26T16:00Z", home=home, columns=140).stdout
    assert "✗ 2 days late so far (first by Fri 20 Nov" in told
    assert answer("promises", "--party", SHOP, home=home) == {"promises": [], "parties": []}
    assert "Nobody has named a date." in call("promises", "--party", SHOP, home=home).stdout


def test_what_is_likely_to_be_late(home: Path) -> None:
    likely = answer("stalled", "--as-of", "2026-11-17T15:00Z", home=home)["likely"]
    (waited_for,) = [row for row in likely if row["order"] == "H-0"]
    assert (waited_for["cases"], waited_for["based_on"]) == (33, "lane")
    assert waited_for["chance"] < 0.2  # of those that took as long as this has, all but one took a week
    told = call("stalled", "--as-of", "2026-11-17T15:00Z", home=home).stdout
    assert "Likely to be late" in told
    assert "33 on this lane" in told
    assert answer("stalled", "--likely", "0", "--as-of", "2026-11-17T15:00Z", home=home)["likely"] == []


def test_status_and_timeline_as_it_was(home: Path) -> None:
    told = call("status", "W-2", *THEN, home=home).stdout
    assert "waits for the customer, who is to answer" in told
    assert "desk lamp" in told  # which has neither brand nor model
    assert "desk lamp" in call("timeline", "W-2", *THEN, home=home).stdout.partition("Opened")[0]
    told = call("timeline", "W-1001", *THEN, home=home, columns=120).stdout
    assert "repairer:tick is to repair it by Tue 24 Nov" in told
    assert "(first promised by Fri 20 Nov" in told


def test_calendars(home: Path) -> None:
    result = answer("calendar", "show", IMPORTER, home=home)
    (calendar,) = result["calendars"]
    assert (calendar["whose"], calendar["holidays"], calendar["week"]["monday"]) == (IMPORTER, "NL", "09:00-17:00")
    assert calendar["day_seconds"] == 8 * 3600
    every = answer("calendar", "show", home=home)["calendars"]
    assert [each["whose"] for each in every] == [None, IMPORTER]
    assert "everybody else" in call("calendar", "show", home=home).stdout


def test_when_something_would_be_due(home: Path) -> None:
    args = ("calendar", "check", IMPORTER, "--from", "2026-12-24T16:30", "--add", "2 working days")
    result = answer(*args, home=home)
    assert (result["from"], result["due"], result["add"]) == (
        "2026-12-24T15:30:00Z",
        "2026-12-31T12:30:00Z",
        "2 working days",
    )
    assert [(step["day"][-2:], step["seconds"] / 3600, step["why"], step["name"]) for step in result["steps"]] == [
        ("24", 0.5, None, None),
        ("25", 0, "holiday", "Christmas Day"),
        ("26", 0, "weekly", None),
        ("27", 0, "weekly", None),
        ("28", 3, "closure", "stocktaking"),
        ("29", 0, "closure", "stocktaking"),
        ("30", 8, None, None),
        ("31", 4.5, None, None),
    ]
    told = call(*args, home=home).stdout
    assert "does not open on Saturdays and Sundays" in told
    assert told.splitlines()[-1] == "due Thu 31 Dec 13:30; times are Europe/Amsterdam"


def test_around_the_clock_and_by_a_named_zone(home: Path) -> None:
    args = ("calendar", "check", SHOP, "--from", "2026-12-24T16:30-05:00", "--add", "24 hours")
    result = answer(*args, home=home)
    assert (result["due"], result["steps"]) == ("2026-12-25T21:30:00Z", [])
    assert "runs around the clock" in call(*args, home=home).stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check", "noord", "--add", "1 day"], "'noord' is not a party: write role:name"),
        (["check", IMPORTER, "--add", "soon"], "'soon' is no length of time: write for example '2 working days'"),
        (["check", IMPORTER, "--add", "1 day", "--from", "soon"], "'soon' is not a moment for --from: write an ISO"),
        (["show", "noord"], "'noord' is not a party: write role:name"),
    ],
)
def test_calendars_that_cannot_be_asked(args: list[str], said: str, home: Path) -> None:
    assert sentence(call("calendar", *args, home=home)).startswith(said)


def test_why_something_is_due(home: Path) -> None:
    result = answer("policy", "explain", "W-1001", "--all", home=home)
    assert (result["digest"], result["category"]) == (POLICY.digest, "lamp")
    (receive,) = [each for each in result["explained"] if (each["kind"], each["owner"]) == ("receive", IMPORTER)]
    assert (receive["rule"], receive["allow"]) == ("receive (importer:noord from retailer:juno)", "3 working days")
    assert receive["due_by_rule"] == receive["due_at"] == "2026-11-05T10:00:00Z"
    assert [fit["allow"] for fit in receive["fits"]] == ["3 working days", "2 working days"]
    (repair,) = [each for each in result["explained"] if each["kind"] == "repair"]
    assert (repair["due_at"], repair["promised_at"]) == ("2026-11-24T16:00:00Z", "2026-11-24T16:00:00Z")
    told = call("policy", "explain", "W-1001", "--all", home=home, columns=140).stdout
    assert "'receive (importer:noord from retailer:juno)' holds, with 3 working days" in told
    assert "2 dates were named, the first was Fri 20 Nov" in told


def test_why_something_waits(home: Path) -> None:
    told = call("policy", "explain", "W-2", home=home, columns=140).stdout
    assert "retailer:juno is to repair it: paused, waits for the customer" in told
    assert "for the customer from Tue 17 Nov" in told
    waiting = {each["kind"]: each["waits"] for each in answer("policy", "explain", "W-2", home=home)["explained"]}
    assert waiting["repair"] == [{"from": "2026-11-17T10:00:00Z", "until": None, "for": "customer"}]
    assert waiting["answer"] == []


def test_the_ledger_and_the_timeline_say_what_it_waits_for(home: Path) -> None:
    told = [row for row in answer("commitments", *THEN, home=home)["commitments"] if row["order"] == "W-2"]
    for rows in (told, answer("timeline", "W-2", *THEN, home=home)["commitments"]):
        assert {row["kind"]: row["paused_for"] for row in rows if row["state"] == "paused"} == {"repair": ["customer"]}
    for command in ("commitments", "timeline"):
        assert "paused, waits for the customer" in call(command, "W-2", *THEN, home=home, columns=160).stdout


def test_lists_and_single_orders_agree_on_what_comes_next(home: Path) -> None:
    fields = ("next_step", "next_owner", "next_due", "ball")
    listed = answer("orders", *THEN, home=home)["orders"]
    for row in [row for row in listed if row["order_id"] in ("W-1001", "W-2", "H-0")]:
        status = answer("status", row["order_id"], *THEN, home=home)
        story = answer("timeline", row["order_id"], *THEN, home=home)["order"]
        assert [[each[field] for field in fields] for each in (status, story)] == [[row[field] for field in fields]] * 2
        assert row["next_due"] == row["ball"]["due_at"]
        assert row["ball"]["owner"].startswith(row["next_owner"])
    assert {row["order_id"]: row["next_step"] for row in listed if row["order_id"].startswith("W")} == {
        "W-1001": "repair",
        "W-2": "answer",  # of the customer, for whom the work waits
    }


def test_what_is_owed_of_one_of_several_things_says_of_which() -> None:
    assert to_do("repair", "lamp 2") == "repair it (lamp 2)"
    assert has_not("repairer:bench", "return", "lamp 2").endswith("got it back to the customer (lamp 2)")
    assert to_do("part", "stem") == "have the part stem"
    assert to_do("answer", "Q-1") == "answer"  # an id says nothing to people


def test_what_waits_for_who_pays_says_so() -> None:
    assert paused({"paused_for": ["cover"]}) == "paused, waits for who pays to be decided"
    assert paused({"paused_for": ["customer", "cover"]}).endswith("for the customer and for who pays to be decided")
    assert paused({"paused_for": ["item"]}) == "paused, waits for the item"


def test_whether_the_policy_that_is_set_is_in_force(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> str:
        return call("policy", "check", home=home).stdout.split("\n\n")[0].replace("\n", " ")

    since = moments_now().at(at(2, 8))
    assert told().endswith(f") Not in force: the chain goes by the one that it adopted on {since}.")
    monkeypatch.setenv("REPAIRCHAIN_POLICY", str(tmp_path / "policy.toml"))
    (tmp_path / "policy.toml").write_text(TEXT)
    assert told().endswith(f") In force since {since}.")
    (tmp_path / "policy.toml").write_text('[allow]\nreceive = "1 hour"\n')
    assert told().endswith(") Not in force yet: a chain that runs adopts it within seconds.")
