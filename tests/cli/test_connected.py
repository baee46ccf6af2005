"""Commands against a chain that really runs. With 'repairchain up' they are run by tests/test_readme.py."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from events.names import SERVICES
from services.home import HomeFolder
from tests.cli.running import answer, call, process, sentence
from tests.cli.story import give_operator_login
from tests.cli.together import running_together
from tests.waiting import eventually


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a chain that runs, all of its services ready."""
    folder = tmp_path_factory.mktemp("running") / "home"
    with running_together(folder):
        yield folder


def event(name: str, id: str, data: dict[str, Any], order: str = "W-1", source: str = "retailer:juno") -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": f"repairchain.{name}.v1",
            "subject": order,
            "time": "2026-11-20T10:00:00Z",
            "data": data,
        }
    )


OPENED = event("order.opened", "s1", {"product": {"model": "Meridian 36"}})


def test_publishing_and_asking(home: Path) -> None:
    handed = event("item.handed_over", "s2", {"to": "importer:noord"})
    result = answer("publish", "-", home=home, stdin=f"{OPENED}\n{handed}\n")
    assert [each["outcome"] for each in result["receipts"]] == ["accepted", "accepted"]
    assert [each["id"] for each in result["receipts"]] == ["s1", "s2"]
    again = answer("publish", "-", home=home, stdin=f"{OPENED}\n{handed}\n")
    assert (again["duplicate"], again["accepted"]) == (2, 0)
    assert answer("status", "W-1", home=home)["heading_to"] == "importer:noord"
    assert "handed it to importer:noord" in call("timeline", "W-1", home=home).stdout


def test_a_type_that_is_not_known_is_told_with_the_nearest(home: Path) -> None:
    said = call("publish", "-", home=home, stdin=event("item.recieved", "slip", {}, order="W-77"), columns=200)
    assert said.exit_code == 1
    # Which of the events it was is told by its order, for an id that was made up tells nobody.
    assert re.search(r"^slip +retailer:\w+ +W-77 +rejected", said.stdout, re.MULTILINE)
    assert (
        "'repairchain.item.recieved.v1' is not in the vocabulary (did you mean repairchain.item.received.v1?)"
        in " ".join(said.stdout.split())
    )


def test_a_partner_publishes_with_its_own_credentials(home: Path) -> None:
    assert "no credentials for importer:noord" in sentence(
        call("publish", "-", "--as", "importer:noord", home=home, stdin=OPENED)
    )
    assert "importer.noord.nk" in call("partner", "add", "importer:noord", "--name", "Noord", home=home).stdout.replace(
        "\n", ""
    )
    other = event("order.opened", "i1", {"product": {}}, order="N-1", source="importer:noord")
    assert answer("publish", "-", "--as", "importer:noord", home=home, stdin=other)["accepted"] == 1
    result = call(
        "publish", "-", "--as", "importer:noord", "--json", home=home, stdin=event("order.closed", "x", {}, order="N-1")
    )
    assert result.exit_code == 1  # it speaks for a shop that it is not
    assert json.loads(result.stdout)["receipts"][0]["outcome"] == "rejected"
    assert [each["party"] for each in answer("partner", "list", home=home)["parties"]] == ["importer:noord"]


def test_a_partner_that_is_kept_out_is_told_why(home: Path) -> None:
    secret = answer("partner", "add", "importer:sued", home=home)["credentials"]
    answer("partner", "suspend", "importer:sued", home=home)
    said = sentence(call("publish", "-", "--as", "importer:sued", home=home, stdin=OPENED))
    assert said.startswith("importer:sued has been suspended since ")
    assert said.endswith("'repairchain partner resume importer:sued' lets it in again.")
    url = json.loads(HomeFolder(home).server_file.read_text())["url"]
    command = [sys.executable, "examples/partner.py", url, secret, "W-1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"partner.py: {url} refuses {secret}: ")
    assert len(done.stderr.splitlines()) == 1
    answer("partner", "resume", "importer:sued", home=home)
    answer("partner", "revoke", "importer:sued", "--yes", home=home)


def test_what_is_rejected_is_kept_shown_and_retried(home: Path) -> None:
    before = answer("rejected", "list", home=home)["total"]
    earlier = answer("stats", home=home)
    early = event("item.received", "early", {}, order="LATER", source="importer:noord")
    result = call("publish", "-", home=home, stdin=early)
    assert result.exit_code == 0  # nobody has anything to mend
    assert "1 held" in result.stdout
    kept = answer("rejected", "list", home=home)
    assert kept["total"] == before + 1
    stats = answer("stats", home=home)
    assert (stats["rejected"], stats["held"]) == (earlier["rejected"], earlier["held"] + 1)
    number = str(kept["rejected"][-1]["number"])
    assert (kept["rejected"][-1]["outcome"], kept["rejected"][-1]["kept_at"] is None) == ("held", False)
    assert json.loads(early) == answer("rejected", "show", number, home=home)["submission"]
    assert "No order has this id" in call("rejected", "show", number, home=home).stdout
    retried = call("rejected", "retry", number, home=home)
    assert retried.exit_code == 1  # still nobody opened that order
    opened = event("order.opened", "s9", {"product": {}}, order="LATER")
    assert answer("publish", "-", home=home, stdin=opened)["accepted"] == 1

    def is_let_go() -> bool:
        return bool(answer("rejected", "list", home=home)["total"] == before)

    asyncio.run(eventually(lambda: asyncio.to_thread(is_let_go), "what waited for the order is let go"))
    call("publish", "-", home=home, stdin=event("item.received", "lost", {}, order="NEVER", source="importer:noord"))
    kept = answer("rejected", "list", home=home)["rejected"][-1]
    assert call("rejected", "discard", str(kept["number"]), home=home, stdin="n\n").exit_code == 1
    assert answer("rejected", "list", home=home)["rejected"][-1] == kept
    assert answer("rejected", "discard", str(kept["number"]), "--yes", home=home)["party"] == kept["party"]
    assert kept not in answer("rejected", "list", home=home)["rejected"]
    call(
        "publish", "-", home=home, stdin=event("item.received", "lost too", {}, order="NEVER", source="importer:noord")
    )
    summary = answer("rejected", "list", "--summary", home=home)
    counted = {(row["party"], row["reason"]): row["count"] for row in summary["summary"]}
    mine = ("--party", "importer:noord", "--reason", "unknown-order")
    listed = answer("rejected", "list", *mine, "--limit", "1", home=home)
    assert [(row["party"], row["reason"]) for row in listed["rejected"]] == [("importer:noord", "unknown-order")]
    assert listed["total"] == counted["importer:noord", "unknown-order"]
    of_mine = answer("rejected", "list", "--summary", *mine, home=home)
    assert (of_mine["total"], len(of_mine["summary"])) == (listed["total"], 1)
    assert answer("rejected", "list", "--party", "importer:nobody", home=home) == {"rejected": [], "total": 0}
    told = call("rejected", "list", "--party", "importer:nobody", home=home).stdout.splitlines()
    assert told[0] == "Nothing of that kind is rejected."
    assert told[1].startswith("importer:nobody is no partner of this chain: ")
    assert "there is no reason 'mood'" in sentence(call("rejected", "list", "--reason", "mood", home=home))
    assert counted["importer:noord", "unknown-order"] >= 1
    assert "unknown-order" in call("rejected", "list", "--summary", home=home).stdout
    again = call("rejected", "retry", "--all", "--reason", "unknown-order", home=home)
    assert (again.exit_code, "handed in again" in again.stdout) == (1, True)  # still nobody opened that order
    gone = answer("rejected", "discard", "--all", "--reason", "unknown-order", "--yes", home=home)["discarded"]
    assert gone == sum(count for (_, reason), count in counted.items() if reason == "unknown-order")
    for wrong in (("--all", "1"), (), ("1", "--reason", "invalid"), ("--all", "--reason", "mood")):
        sentence(call("rejected", "retry", *wrong, home=home))
    assert sentence(call("rejected", "retry", "99999", home=home)).startswith("there is no rejected submission 99999")


def test_what_is_owed_is_answered_by_a_running_chain(home: Path) -> None:
    answer("publish", "-", home=home, stdin=OPENED)
    owed = answer("commitments", "W-1", "--kind", "forward", home=home)["commitments"]
    assert [row["owner"] for row in owed] == ["retailer:juno"]
    assert "W-1" in {row["order"] for row in answer("ball", home=home)["ball"]}
    assert answer("promises", home=home)["parties"] == []
    assert answer("calendar", "check", "retailer:juno", "--add", "1 working day", home=home)["steps"]
    assert answer("policy", "explain", "W-1", "--all", home=home)["explained"]


def test_watching(home: Path) -> None:
    (receipt,) = answer("publish", "-", home=home, stdin=OPENED)["receipts"]
    one = ("watch", "--from", str(receipt["position"]), "--count", "1")
    lines = call(*one, "--json", home=home).stdout.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["event"]["id"] == "s1"
    assert "retailer:juno took in Meridian 36" in call(*one, home=home).stdout


def test_a_watch_with_nothing_to_show_says_from_where_on_it_waits(home: Path) -> None:
    answer("publish", "-", home=home, stdin=OPENED)
    last = answer("stats", home=home)["position"]
    watching = process("--home", home, "watch", "--from", str(last + 1_000))
    assert watching.stderr is not None
    assert watching.stderr.readline() == f"Waiting for what comes after position {last + 999:,}; Ctrl-C ends it.\n"
    watching.send_signal(signal.SIGINT)
    assert watching.communicate(timeout=20) == ("", "")
    assert watching.returncode == 130


def test_ctrl_c_ends_a_watch_quietly(home: Path) -> None:
    answer("publish", "-", home=home, stdin=OPENED)
    watching = process("--home", home, "watch", "--from", "1", "--json")
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=20)
    assert (watching.returncode, said) == (130, "")


def test_upkeep_of_a_running_chain(home: Path, tmp_path: Path) -> None:
    position = answer("stats", home=home)["position"]
    assert answer("rebuild", home=home)["position"] >= position
    copy = answer("snapshot", tmp_path / "copy.duckdb", home=home)
    assert copy["position"] >= position
    verdict = answer("verify", home=home)
    assert (verdict["equal"], verdict["differences"]) == (True, [])


def test_the_doctor_finds_it_well(home: Path) -> None:
    result = call("doctor", home=home)
    assert result.exit_code == 0, result.stdout
    assert "All is well." in result.stdout
    for service in SERVICES:
        assert f"✓ {service}" in result.stdout
    assert re.search(r"✓ watchdog +last beat [A-Z][a-z]{2} \d+ [A-Z][a-z]{2} \d\d:\d\d", result.stdout)


def test_wrong_credentials(home: Path, tmp_path: Path) -> None:
    stranger = HomeFolder(tmp_path / "stranger")
    stranger.create()
    give_operator_login(stranger.root)
    answer("partner", "add", "importer:odd", home=stranger.root)
    stranger.server_file.write_text(HomeFolder(home).server_file.read_text())
    assert "refuses these credentials: is" in sentence(call("orders", home=stranger.root))
    as_partner = call("publish", "-", "--as", "importer:odd", home=stranger.root, stdin=OPENED)
    assert "refuses the partner's credentials: are they its latest, and is" in sentence(as_partner)


@pytest.mark.parametrize(
    "args",
    [
        ["timeline", "W-1"],
        ["commitments", "W-1"],
        pytest.param(["ball"], marks=pytest.mark.heavy),
        pytest.param(["promises"], marks=pytest.mark.heavy),
        pytest.param(["stalled"], marks=pytest.mark.heavy),
    ],
    ids=lambda args: args[0],
)
def test_a_query_is_quick_as_a_whole_process(home: Path, args: list[str]) -> None:
    answer("publish", "-", home=home, stdin=OPENED)
    command = [sys.executable, "-X", "importtime", "-m", "cli.main", "--home", str(home), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "nats" in imported
    assert imported.isdisjoint({"pydantic", "duckdb", "faststream", "pyarrow", "apprise", "jinja2", "numpy"})


@pytest.mark.parametrize(("args", "limit"), [(["--help"], 0.5), (["timeline", "W-1"], 0.6)])
def test_a_whole_process_takes_less_than_the_limit(home: Path, args: list[str], limit: float) -> None:
    """In processor time, the best of up to five: what else the machine does at that moment is not what is measured."""
    answer("publish", "-", home=home, stdin=OPENED)
    took = [limit]
    while min(took) >= limit and len(took) <= 5:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "cli.main", "--home", str(home), *args], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < limit, took
