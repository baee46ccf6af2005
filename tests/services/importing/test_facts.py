"""What the rows of a log say, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.envelope import Event, split_type
from events.vocabulary import read_data
from services.importing import ImportReport, LogError, facts_from
from tests.services.importing.helpers import HEADER, LEAST, facts_of, mapping, rows, told

STATUS = """
[custody]
queued = ["Queued"]
[status]
closed = { activity = ["Completed"] }
"""

WAITS = """
[[facts]]
when = { activity = ["Wait - User"] }
type = "work.paused"
data = { waiting_for = "customer", why = "{activity}" }
leaving = "work.resumed"
[[facts]]
when = { activity = ["Wait*"] }
type = "diagnosis.made"
data = { summary = "{activity}" }
each = "row"
"""


def test_the_first_row_opens_the_order_and_its_party_answers_for_it(tmp_path: Path) -> None:
    (submission,) = facts_of(tmp_path, rows("North Accepted"))
    assert submission.role == "repairer"
    assert submission.event == {
        "specversion": "1.0",
        "id": "import:test:W-1:1:1",
        "source": "repairer:North",
        "type": "repairchain.order.opened.v1",
        "subject": "W-1",
        "time": "2026-11-02T09:00:00Z",
        "datacontenttype": "application/json",
        "data": {"product": {}, "accountable": "repairer:North"},
    }


def test_another_party_is_a_handoff_received_at_its_first_row_that_is_not_queued(tmp_path: Path) -> None:
    found = facts_of(
        tmp_path, rows("North Accepted", "South Queued", "South Queued", "South Accepted"), mapping(STATUS)
    )
    assert told(found) == ["North order.opened", "North item.handed_over", "South item.received"]
    assert [each.event["id"] for each in found] == ["import:test:W-1:1:1", "import:test:W-1:2:1", "import:test:W-1:4:1"]
    assert found[1].event["data"] == {"to": "repairer:South"}
    assert found[2].event["data"] == {"from": "repairer:North"}


def test_a_party_that_passes_on_what_it_never_took_up_never_received_it(tmp_path: Path) -> None:
    found = facts_of(tmp_path, rows("North Accepted", "South Queued", "West Accepted"), mapping(STATUS))
    assert told(found)[1:] == ["North item.handed_over", "South item.handed_over", "West item.received"]


def test_a_missing_party_means_no_change_of_holder_and_takes_nothing_up(tmp_path: Path) -> None:
    log = rows("North Accepted", "South Queued", "? Accepted", " Accepted", "South Accepted", "? Completed")
    found = facts_of(tmp_path, log, mapping(STATUS + '[values]\nnothing = ["?"]'))
    assert told(found)[1:] == ["North item.handed_over", "South item.received", "South order.closed"]
    assert found[2].event["time"] == "2026-11-02T09:04:00Z"


def test_a_first_row_without_a_party_is_skipped_unless_the_mapping_says_who_has_it(tmp_path: Path) -> None:
    report = ImportReport()
    found = facts_of(tmp_path, rows(" Accepted", "North Accepted"), report=report)
    assert told(found) == ["North order.opened"]
    assert (report.rows, report.rows_skipped, report.left[0].line) == (2, 1, 2)
    assert "names no party" in report.left[0].reason
    found = facts_of(tmp_path, rows(" Accepted", "North Accepted"), mapping('[party]\nfirst = "retailer:desk"'))
    assert told(found) == ["desk order.opened", "desk item.handed_over", "North item.received"]


def test_a_second_completed_row_is_no_new_close_and_any_later_other_row_reopens(tmp_path: Path) -> None:
    log = rows("North Completed", "North Completed", "North Accepted", "North Accepted", "North Completed")
    assert told(facts_of(tmp_path, log, mapping(STATUS)))[1:] == [
        "North order.closed",
        "North order.reopened",
        "North order.closed",
    ]


def test_a_reopening_by_another_party_is_said_before_the_handoff(tmp_path: Path) -> None:
    found = facts_of(tmp_path, rows("North Completed", "South Queued"), mapping(STATUS))
    assert told(found)[2:] == ["South order.reopened", "North item.handed_over"]


def test_a_wait_is_said_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    log = rows("North Wait - User", "North Wait - User", "North Accepted", "North Wait - User", "North Completed")
    found = facts_of(tmp_path, log, mapping(STATUS + WAITS.split("[[facts]]")[1].join(["[[facts]]", ""])))
    assert told(found)[1:] == [
        "North work.paused",
        "North work.resumed",
        "North work.paused",
        "North work.resumed",
        "North order.closed",
    ]
    assert found[1].event["data"] == {"waiting_for": "customer", "why": "Wait - User"}


def test_a_wait_belongs_to_the_party_that_waits(tmp_path: Path) -> None:
    found = facts_of(tmp_path, rows("North Wait - User", "South Wait - User"), mapping(STATUS + WAITS))
    assert told(found) == [
        "North order.opened",
        "North work.paused",
        "North diagnosis.made",
        "North work.resumed",
        "North item.handed_over",
        "South item.received",
        "South work.paused",
        "South diagnosis.made",
    ]


def test_a_wait_for_another_replaces_the_first_without_work_between(tmp_path: Path) -> None:
    waits = """
[[facts]]
when = { activity = ["Wait*"] }
type = "work.paused"
leaving = "work.resumed"
[facts.data.waiting_for]
column = "activity"
table = { "Wait - User" = "customer" }
otherwise = "other"
"""
    found = facts_of(tmp_path, rows("North Wait - User", "North Wait", "North Go"), mapping(waits))
    assert told(found)[1:] == ["North work.paused", "North work.paused", "North work.resumed"]
    assert [each.event["data"]["waiting_for"] for each in found[1:3]] == ["customer", "other"]


def test_a_row_aside_says_its_fact_and_moves_nothing(tmp_path: Path) -> None:
    aside = """
[aside]
when = { activity = ["Call"] }
[[facts]]
when = { activity = ["Call"] }
type = "customer.contacted"
data = { channel = "phone", direction = "outbound" }
"""
    log = rows("North Wait - User", "Desk Call", "North Wait - User", "North Completed", "Desk Call")
    found = facts_of(tmp_path, log, mapping(STATUS + WAITS.split('[[facts]]\nwhen = { activity = ["Wait*')[0] + aside))
    assert told(found) == [
        "North order.opened",
        "North work.paused",
        "Desk customer.contacted",
        "North work.resumed",
        "North order.closed",
        "Desk customer.contacted",
    ]


def test_a_fact_that_lacks_a_value_is_left_out_and_reported_and_the_row_still_counts(tmp_path: Path) -> None:
    report = ImportReport()
    found = facts_of(tmp_path, rows("North Wait", "North "), mapping(WAITS), report)
    assert told(found) == ["North order.opened", "North diagnosis.made"]
    rule = '[[facts]]\nwhen = { party = ["North"] }\ntype = "diagnosis.made"\ndata = { summary = "{activity}" }'
    found = facts_of(tmp_path, rows("North ", "South Accepted"), mapping(rule), report)
    assert told(found) == ["North order.opened", "North item.handed_over", "South item.received"]
    assert (report.facts_left_out, report.rows_skipped) == (1, 0)
    assert "facts[0]: diagnosis.made needs 'summary'" in str(report.left[0])


def test_roles_by_a_table_with_patterns(tmp_path: Path) -> None:
    roles = '[party.role]\ncolumn = "party"\ntable = { Desk = "retailer", "Bench*" = "repairer" }'
    use = mapping(roles, least=LEAST.replace('[party]\nrole = "repairer"', ""))
    report = ImportReport()
    found = facts_of(tmp_path, rows("Desk Register", "Bench 7 Repair", "Elsewhere Look"), use, report)
    assert [each.role for each in found] == ["retailer", "retailer", "repairer"]
    assert report.left[0].reason == "party.role gives no role for 'Elsewhere'"


def test_rows_of_a_case_may_be_spread_over_the_file_and_over_files(tmp_path: Path) -> None:
    one = HEADER + "A,2026-11-02T09:00Z,North,Go\nB,2026-11-02T09:01Z,North,Go\nA,2026-11-02T09:02Z,South,Go\n"
    two = HEADER + "B,2026-11-02T09:03Z,South,Go\n"
    (tmp_path / "1").write_text(one)
    (tmp_path / "2").write_text(two)
    found = [each.event["id"] for each in facts_from(mapping(), [tmp_path / "1", tmp_path / "2"])]
    assert found == [f"import:test:{end}" for end in ("A:1:1", "B:1:1", "A:2:1", "A:2:2", "B:2:1", "B:2:2")]


def test_a_case_that_comes_back_although_cases_stand_together_is_reported(tmp_path: Path) -> None:
    log = (
        HEADER
        + "A,2026-11-02T09:00Z,N,Go\nB,2026-11-02T09:01Z,N,Go\nA,2026-11-02T09:02Z,S,Go\nA,2026-11-02T09:03Z,S,Go\n"
    )
    report = ImportReport()
    found = facts_of(tmp_path, log, mapping('[log]\ncases = "together"'), report)
    assert told(found) == ["N order.opened", "N order.opened"]
    assert report.rows_skipped == 2
    assert 'set log.cases = "spread"' in report.left[0].reason


@pytest.mark.parametrize("cases", ["spread", "together"])
def test_a_log_that_runs_newest_first_can_be_sorted(tmp_path: Path, cases: str) -> None:
    log = HEADER + "A,2026-11-02T09:02Z,South,Go\nA,never,North,Go\nA,2026-11-02T09:00Z,North,Go\n"
    report = ImportReport()
    found = facts_of(tmp_path, log, mapping(f'[log]\nsort = "time"\ncases = "{cases}"'), report)
    assert [each.event["id"] for each in found] == ["import:test:A:1:1", "import:test:A:2:1", "import:test:A:2:2"]
    assert told(found)[1] == "North item.handed_over"
    assert report.left[0].line == 3


def test_an_unreadable_row_keeps_its_number_so_that_mending_it_later_moves_no_other(tmp_path: Path) -> None:
    broken = rows("North Go", "North Go", "South Go").replace("09:01", "99:01")
    whole = rows("North Go", "North Go", "South Go")
    assert [each.event["id"] for each in facts_of(tmp_path, broken)] == [
        each.event["id"] for each in facts_of(tmp_path, whole)
    ]


@pytest.mark.parametrize("case", ["x" * 300, "a\u200b\nb", "\u0007"])
def test_a_case_that_is_no_id_is_reported(tmp_path: Path, case: str) -> None:
    report = ImportReport()
    assert not facts_of(tmp_path, HEADER + f'"{case}",2026-11-02T09:00Z,North,Go\n', report=report)
    assert report.rows_skipped == 1


def test_order_ids_can_be_told_from_those_of_others(tmp_path: Path) -> None:
    (found,) = facts_of(tmp_path, rows("North Go", case="7"), mapping('[order]\nid = "old-{case}"'))
    assert (found.event["subject"], found.event["id"]) == ("old-7", "import:test:7:1:1")


def test_every_fact_is_what_the_vocabulary_takes(tmp_path: Path) -> None:
    log = rows("North Wait - User", "South Queued", "South Wait", "South Completed", "North Go")
    for submission in facts_of(tmp_path, log, mapping(STATUS + WAITS)):
        event = Event.model_validate(submission.event)
        name, version = split_type(event.type)
        assert read_data(name, version, event.data) is not None
        assert event.source == submission.party


def test_a_file_that_is_not_there_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(rows("North Go"))
    with pytest.raises(LogError, match=r"gone\.csv is no file"):
        next(facts_from(mapping(), [tmp_path / "log.csv", tmp_path / "gone.csv"]))


@pytest.mark.parametrize(
    ("content", "said"), [("case,when\n", "has no column"), ("", "has no column"), ("\x1f\x8b", "")]
)
def test_of_a_later_file_that_cannot_be_read_at_all_it_is_told_before_anything_is(
    tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "log.csv").write_text(rows("North Go"))
    (tmp_path / "other").write_bytes(content.encode("latin-1"))
    with pytest.raises(LogError, match=f"other.*{said}"):
        next(facts_from(mapping(), [tmp_path / "log.csv", tmp_path / "log.csv", tmp_path / "other"]))


def test_times_of_the_wrong_format_are_one_reason(tmp_path: Path) -> None:
    report = ImportReport()
    log = HEADER + "".join(f"W-1,2.11.2026 {hour}:00,North,Go\n" for hour in range(9, 12)) + "W-2,,North,Go\n"
    assert facts_of(tmp_path, log, report=report) == []
    of_times, of_none = map(str, report.reasons.values())
    assert of_times.startswith("3 times: its time '2.11.2026 9:00' cannot be read: it is not as the mapping's log.time")
    assert of_times.endswith("(first in log.csv, line 2)")
    assert of_none == "log.csv, line 5: it has no time"
