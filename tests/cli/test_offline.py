"""Queries while no chain runs: the file in the home is read, and left as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from projections.queries.chain import SORTS
from services.home import HomeFolder
from tests.cli.running import answer, call, sentence
from tests.cli.story import STORY, make_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("stopped") / "home")


@pytest.mark.parametrize("name", ["W-1001", "RMA-5541", "C-77"])
def test_an_order_is_found_by_each_of_its_names(home: Path, name: str) -> None:
    assert answer("status", name, home=home)["order_id"] == "W-1001"


def test_a_serial_number_finds_its_order_too(home: Path) -> None:
    assert "HM-20417" in sentence(call("status", "HM-20417", home=home))  # two orders have it


def test_a_name_that_means_two_orders(home: Path) -> None:
    assert sentence(call("timeline", "TWICE", home=home)) == "'TWICE' means 2 orders: W-1002, W-1001; say which."


def test_a_name_that_means_none(home: Path) -> None:
    said = sentence(call("status", "W-9", home=home))
    assert said.startswith("no order, reference or serial number 'W-9' is known: 'repairchain orders' lists them")


def test_the_timeline_tells_the_story(home: Path) -> None:
    told = call("timeline", "W-1001", home=home).stdout
    assert told.index("took in Halden Meridian 36") < told.index("handed it to importer:noord")
    assert "importer:noord is to say that it came in by Thu 5 Nov" in told
    assert "✓ kept" in told
    assert "✗ overdue by" in told
    assert "ordered stem" not in told  # it was taken back


def test_in_brief_letters_have_no_text(home: Path) -> None:
    told, brief = (call("timeline", "W-1001", *more, home=home).stdout for more in ((), ("--brief",)))
    assert "You hear from us again on Friday." in told
    assert [line for line in told.splitlines() if "│ Y" not in line and line.strip() != "│"] == brief.splitlines()
    assert "told the customer “We have it” by email" in brief


def test_raw_tells_all_of_it(home: Path) -> None:
    assert "ordered stem (taken back)" in call("timeline", "W-1001", "--raw", home=home).stdout
    assert sum(each["voided"] for each in answer("timeline", "W-1001", "--raw", home=home)["entries"]) == 1


def test_as_it_was(home: Path) -> None:
    then = answer("timeline", "W-1001", "--as-of", "2026-11-03", home=home)
    assert [each["type"] for each in then["entries"]] == ["order.opened", "message.sent", "item.handed_over"]
    told = call("status", "W-1001", "--as-of", "2026-11-03", home=home).stdout
    assert told.startswith("As it was on ")
    assert "In transit to importer:noord" in told


def test_before_it_began(home: Path) -> None:
    assert "W-1001" in sentence(call("timeline", "W-1001", "--as-of", "2020-01-01", home=home))


def test_lists(home: Path) -> None:
    assert [each["order_id"] for each in answer("orders", home=home)["orders"]] == ["W-1002", "W-1001"]
    waiting = answer("orders", "--sort", "waiting", home=home)["orders"]
    assert [each["order_id"] for each in waiting] == ["W-1001", "W-1002"]
    for sort in SORTS:  # each that the query knows, and no other
        assert answer("orders", "--sort", sort, home=home)["total"] == 2
    assert f"--sort is one of {', '.join(SORTS)}," in sentence(call("orders", "--sort", "age", home=home))
    assert answer("orders", "--holder", "importer:noord", home=home)["total"] == 1
    assert answer("orders", "--closed", home=home)["total"] == 0
    page = answer("orders", "--limit", "1", "--offset", "1", home=home)
    assert (len(page["orders"]), page["total"]) == (1, 2)
    assert "2 to 2 of 2 orders" in call("orders", "--limit", "1", "--offset", "1", home=home).stdout


def test_flow(home: Path) -> None:
    assert answer("handoffs", home=home)["totals"]["count"] == 2
    assert answer("handoffs", "--to", "repairer:tick", home=home)["totals"]["waiting"] == 1
    overdue = answer("stalled", "--as-of", "2026-11-30", home=home)["stalled"]
    assert {each["kind"] for each in overdue} == {"receive", "forward", "update"}
    assert "repairer:tick has not said that it came in" in call("stalled", "--as-of", "2026-11-30", home=home).stdout
    assert answer("stalled", "--as-of", "2026-11-02T12:00Z", home=home) == {"stalled": [], "likely": []}


def test_messages(home: Path) -> None:
    assert [each["subject"] for each in answer("messages", home=home)["messages"]] == ["We have it"]
    assert answer("messages", "RMA-5541", home=home)["messages"][0]["order_id"] == "W-1001"
    assert "No messages." in call("messages", "W-1002", home=home).stdout


def test_stats_have_their_names(home: Path) -> None:
    stats = answer("stats", home=home)
    promised = (
        "facts orders open_orders reopened_orders reopenings handoffs handoffs_received handoffs_never_received "
        "ping_pong_orders messages rejected"
    )
    assert set(promised.split()) <= set(stats)
    assert (stats["facts"], stats["customer_contacts"], stats["rejected"]) == (len(STORY), 1, None)


def test_asking_changes_nothing_and_does_not_keep_others_out(home: Path) -> None:
    file = HomeFolder(home).database
    before = file.read_bytes()
    with duckdb.connect(str(file), read_only=True):
        assert answer("stats", home=home)["orders"] == 2
    assert file.read_bytes() == before


def test_a_file_that_another_process_has_open(free_home: Path) -> None:
    file = HomeFolder(make_home(free_home)).database
    hold = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        said = sentence(call("orders", home=free_home))
        holder.communicate()
    assert "another process has" in said


def test_a_file_of_another_version(free_home: Path) -> None:
    file = HomeFolder(make_home(free_home)).database
    with duckdb.connect(str(file)) as connection:
        connection.execute("UPDATE meta SET models_version = 'older'")
    assert "was made by another version" in sentence(call("orders", home=free_home))
    assert call("rebuild", home=free_home).exit_code == 0
    assert answer("stats", home=free_home)["orders"] == 2


def test_rebuild_and_snapshot(free_home: Path, tmp_path: Path) -> None:
    make_home(free_home)
    assert answer("rebuild", home=free_home) == {"position": len(STORY)}
    copy = tmp_path / "copy of it.duckdb"
    assert answer("snapshot", copy, home=free_home) == {"file": str(copy), "position": len(STORY)}
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchall() == [(2,)]
    assert "exists already" in sentence(call("snapshot", copy, home=free_home))
    assert "there is no folder" in sentence(call("snapshot", tmp_path / "no" / "x", home=free_home))
