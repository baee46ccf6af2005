"""Small exports whose answers can be worked out by hand, through the whole of it."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from projections.database import open_database
from projections.policy import Policy
from services.backtest import Backtest, BacktestError, BacktestReport, backtest
from services.importing import LogError, load_mapping
from tests.services.backtest.exports import CLOCK, MAPPING, clock_policy, write_export

#: One job. Moments are UTC; 2 March 2026 is a Monday.
JOB = [
    ("1", "2026-03-02 10:00", "in", "Shop"),
    ("1", "2026-03-02 12:00", "sent", "Bench"),
    ("1", "2026-03-03 14:00", "work", "Bench"),  # received after 26 hours
    ("1", "2026-03-04 10:00", "diagnosed", "Bench"),
    ("1", "2026-03-10 10:00", "called", "Bench"),
    ("1", "2026-03-11 10:00", "repaired", "Bench"),  # seven days after the diagnosis
    ("1", "2026-03-11 12:00", "done", "Bench"),
]


def run(
    tmp_path: Path, rows: list[tuple[str, str, str, str]], policy: str | None = CLOCK, limit: int = 1_000
) -> Backtest:
    rules, log = write_export(tmp_path, rows)
    chosen = None if policy is None else Policy.parse(policy)
    return backtest(load_mapping(rules), [log], chosen, "policy.toml", limit=limit)


def said(report: BacktestReport) -> list[tuple[str, str, str]]:
    return [(f"{each.at:%d %H:%M}", each.kind, each.cause) for each in report.messages.listed]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Backtest:
    return run(tmp_path_factory.mktemp("job"), JOB)


def test_what_she_would_have_heard_and_when(job: Backtest) -> None:
    report = job.report
    assert said(report) == [
        ("02 10:00", "opened", "order.opened"),
        ("03 12:00", "overdue", "receive"),
        # Progress waits six minutes for what else there may be to tell.
        ("03 14:06", "received", "item.received"),
        ("05 10:00", "overdue", "repair"),
        # After 68.4 of three days without a word, at 7:24 in the morning; so when they are nearly over, at 10:55.
        # The call puts the next one off.
        ("08 09:55", "update", "update"),
        ("11 10:06", "repaired", "repair.completed"),
        ("11 12:06", "closed", "order.closed"),
    ]
    assert report.messages.total == 7
    assert {(each.kind, each.cause): each.count for each in report.messages.by_cause}["overdue", "repair"] == 1


def test_how_long_she_heard_nothing(job: Backtest) -> None:
    silence = job.report.silence
    # Until the call eight days, from then on 26 hours.
    assert (silence.contacts, silence.before.longest.max, silence.before.every.count) == (1, 192, 2)
    assert silence.before.every.p50 == 192
    assert (silence.with_policy.longest.max, silence.with_policy.every.count) == (71.92, 8 - 1)
    assert job.longest_before.tolist() == [192 * 3_600_000_000]


def test_steps_that_were_late_and_notices_that_were_needless(job: Backtest) -> None:
    report = job.report
    kinds = {each.kind: each for each in report.kinds}
    receive, repair = kinds["receive"], kinds["repair"]
    assert (receive.opened, receive.done, receive.overdue, receive.idle, receive.idle_share) == (1, 1, 1, 1, 1.0)
    assert receive.overdue_hours.max == 2
    assert (repair.overdue, repair.idle, repair.overdue_hours.max) == (1, 0, 6 * 24)
    lane = next(stall for stall in report.stalls if stall.kind == "receive")
    assert (lane.from_party, lane.owner) == ("retailer:Shop", "repairer:Bench")
    # Twice somebody was late, and the shop and the bench were told of each.
    notices = report.notices
    assert (notices.total, notices.nudges, notices.to_owner, notices.to_accountable) == (4, 0, 2, 2)
    assert (notices.to_person, notices.per_order.max) == (0, 4)


def test_the_log_and_the_policy_are_named(tmp_path: Path) -> None:
    report = run(
        tmp_path, [*JOB, ("2", "2026-03-12 09:00", "in", "Shop East"), ("2", "not a time", "x", "Shop East")]
    ).report
    log = report.log
    assert (log.orders, log.orders_never_closed, log.parties, log.rows, log.rows_skipped) == (2, 1, 3, 9, 1)
    assert (log.first_at, log.last_at) == (datetime(2026, 3, 2, 10, tzinfo=UTC), datetime(2026, 3, 12, 9, tzinfo=UTC))
    assert (report.policy.source, report.policy.digest) == ("policy.toml", Policy.parse(CLOCK).digest)


def test_without_a_policy_the_built_in_one_holds(tmp_path: Path) -> None:
    report = run(tmp_path, JOB, policy=None).report
    assert report.policy.digest == Policy.parse("").digest
    # Two working days to receive it, ten to repair it: nothing is late, and the news is due after five working days.
    assert [each[1] for each in said(report)] == ["opened", "received", "repaired", "closed"]


def test_time_stands_still_while_the_customer_is_waited_for(tmp_path: Path) -> None:
    rows = [
        ("1", "2026-03-02 10:00", "in", "Shop"),
        ("1", "2026-03-02 20:00", "asked", "Shop"),  # after ten hours
        ("1", "2026-03-04 20:00", "in", "Shop"),  # two days later she has answered
        ("1", "2026-03-05 12:00", "sent", "Bench"),  # after sixteen more: two hours late
        ("1", "2026-03-05 13:00", "work", "Bench"),
        ("1", "2026-03-05 14:00", "done", "Bench"),
    ]
    report = run(tmp_path, rows).report
    forward = next(each for each in report.kinds if each.kind == "forward")
    assert (forward.opened, forward.overdue, forward.idle) == (1, 1, 1)
    assert forward.overdue_hours.max == 2
    assert ("05 10:00", "overdue", "forward") in said(report)
    # She is asked in the evening and hears it at eight; and when she has had her time, again in the morning.
    assert ("03 07:00", "question", "work.paused") in said(report)
    assert ("04 07:00", "update", "answer") in said(report)
    # It is she who owes the answer: that is no notice to a party, but the shop hears that it waits in vain.
    assert (report.notices.to_owner, report.notices.to_accountable) == (1, 1)


def test_a_rule_is_judged_by_thirty_cases(tmp_path: Path) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    rows = []
    for number in range(40):
        sent = start + timedelta(days=number)
        # Thirty take ten hours, ten take 26: two hours too long.
        taken = sent + timedelta(hours=10 if number < 30 else 26)
        steps = ((sent, "in", "Shop"), (sent, "sent", "Bench"), (taken, "work", "Bench"), (taken, "done", "Bench"))
        rows += [(str(number), f"{at:%Y-%m-%d %H:%M}", step, where) for at, step, where in steps]
    report = run(tmp_path, rows).report
    receive = next(rule for rule in report.rules if rule.rule == "receive")
    assert (receive.cases, receive.late_share, receive.idle_share, receive.verdict) == (40, 0.25, 0.25, "too tight")
    assert (receive.suggestion, receive.suggested_late_share, receive.suggested_idle_share) == ("36 hours", 0, 0)
    assert (receive.typical_hours.p50, receive.typical_hours.max) == (10, 26)
    lane = next(lane for lane in report.lanes if lane.kind == "receive")
    assert (lane.from_party, lane.owner, lane.cases) == ("retailer:Shop", "repairer:Bench", 40)
    assert [(each.rule, each.done) for each in report.rules_not_judged] == [("diagnose", 0)]
    slack = run(tmp_path, rows, CLOCK + '[[override]]\nrole = "repairer"\nkind = "receive"\nallow = "30 days"\n').report
    rule = next(rule for rule in slack.rules if rule.kind == "receive")
    assert (rule.rule, rule.verdict, rule.suggestion) == ("receive (repairer)", "too slack", "36 hours")


def test_lists_are_limited_and_totals_are_not(tmp_path: Path) -> None:
    report = run(tmp_path, JOB, limit=2).report
    assert (len(report.messages.listed), report.messages.total) == (2, 7)
    assert (len(report.stalls), report.stalls_total) == (2, 5)
    assert run(tmp_path, JOB, limit=0).report.messages.listed == ()


def test_an_order_that_is_never_closed_is_silent_until_the_log_ends(tmp_path: Path) -> None:
    open_one = [("2", "2026-03-02 10:00", "in", "Shop")]
    assert run(tmp_path, [*JOB, *open_one]).report.silence.before.longest.max == 9 * 24 + 2
    # A log that closes nothing does not say how long orders were open: there the order's own last fact counts.
    other = [("1", "2026-03-05 10:00", "in", "Shop"), *open_one, ("2", "2026-03-03 10:00", "sent", "Bench")]
    assert run(tmp_path, other).report.silence.before.longest.max == 24


def test_a_customer_that_the_log_names_changes_nothing(tmp_path: Path) -> None:
    rules, log = write_export(tmp_path, JOB)
    plain = backtest(load_mapping(rules), [log], Policy.parse(CLOCK)).report
    rules.write_text(MAPPING + '\n[order.opened]\ncustomer = "C-{case}"\n', encoding="utf-8")
    named = backtest(load_mapping(rules), [log], Policy.parse(CLOCK)).report
    assert (named.messages, named.kinds, named.notices) == (plain.messages, plain.kinds, plain.notices)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr("services.backtest.run.open_database", open_database)  # in the place of one that is lent
    run(tmp_path, JOB)
    with pytest.raises(BacktestError):
        run(tmp_path, [])
    with pytest.raises(LogError):
        backtest(load_mapping(tmp_path / "desk.toml"), [tmp_path / "absent.csv"])
    assert list(scratch.iterdir()) == []


def test_a_policy_that_never_stops_talking_is_refused_in_a_sentence(tmp_path: Path) -> None:
    rows = [("1", "2020-03-02 10:00", "in", "Shop"), ("1", "2026-03-02 10:00", "done", "Shop")]
    with pytest.raises(BacktestError, match="so short that an order would get"):
        run(tmp_path, rows, clock_policy(update="1 minute"))
