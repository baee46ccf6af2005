"""The real log that lies beside the checkout (it is not ours to copy): 65,533 rows, and what is known about them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from projections.book import open_book
from projections.database import Database, open_database
from projections.policy import Policy
from services.backtest import BacktestReport, backtest
from services.backtest.ladder import shares_at
from services.backtest.loading import load
from services.backtest.owed import Steps, read_steps
from services.importing import load_mapping
from tests.services.backtest.exports import clock_policy

ROOT = Path(__file__).parents[3]
LOG = ROOT.parent / "shared" / "data" / "bpi2013_incidents.csv.gz"
MAPPING = ROOT / "examples" / "bpi2013.toml"

pytestmark = pytest.mark.skipif(not LOG.is_file(), reason="the real log is not beside this checkout (../shared/data)")

#: So many rows are read where it does not matter that it is the whole log.
BEGINNING = 1_500


@pytest.fixture(scope="module")
def report() -> BacktestReport:
    return backtest(load_mapping(MAPPING), [LOG]).report


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The log under a policy that gives everything 24 hours, around the clock."""
    with open_database(tmp_path_factory.mktemp("incidents") / "chain.db") as database:
        policy = Policy.parse(clock_policy("24 hours", "24 hours", ("receive", "forward", "diagnose", "answer")))
        load(database, load_mapping(MAPPING), [LOG], policy, lambda _: None)
        yield database


@pytest.fixture(scope="module")
def steps(database: Database) -> Steps:
    cursor = database.cursor()
    try:
        last = cursor.execute("SELECT epoch_us(max(occurred_at)) FROM facts").fetchall()[0][0]
        return read_steps(cursor, open_book(cursor), last)
    finally:
        cursor.close()


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> BacktestReport:
    file = tmp_path_factory.mktemp("beginning") / "incidents.csv"
    with gzip.open(LOG, "rt", encoding="utf-8") as log:
        file.write_text("".join(islice(log, BEGINNING + 1)), encoding="utf-8")
    return backtest(load_mapping(MAPPING), [file]).report


@pytest.mark.heavy
def test_the_log_is_read_whole(report: BacktestReport) -> None:
    log = report.log
    assert (log.orders, log.facts, log.parties, log.orders_never_closed) == (7_554, 47_172, 649, 8)
    assert (log.rows, log.rows_skipped, log.facts_left_out, log.facts_refused) == (65_533, 0, 0, 0)


@pytest.mark.heavy
def test_receipts_are_the_known_ones(report: BacktestReport) -> None:
    receive = next(each for each in report.kinds if each.kind == "receive")
    assert (receive.opened, receive.done, receive.opened - receive.done) == (9_454, 9_098, 356)
    busiest = max((stall for stall in report.stalls if stall.kind == "receive"), key=lambda stall: stall.opened)
    assert (busiest.from_party, busiest.owner, busiest.opened) == ("repairer:G96", "repairer:G97", 255)


@pytest.mark.heavy
def test_nobody_hears_nothing_for_longer_than_the_policy_promises(report: BacktestReport) -> None:
    assert report.log.orders == 7_554
    nobody_hears_nothing(report)


def test_nobody_hears_nothing_in_the_beginning_of_the_log(beginning: BacktestReport) -> None:
    assert beginning.log.rows == BEGINNING
    assert beginning.log.rows_skipped == beginning.log.facts_refused == 0
    nobody_hears_nothing(beginning)


def nobody_hears_nothing(report: BacktestReport) -> None:
    silence = report.silence
    assert silence.contacts == 0
    assert silence.before.longest.count == silence.with_policy.longest.count == report.log.orders
    # Five working days are a week; an hour more where the clocks go back.
    assert silence.with_policy.longest.max is not None
    assert silence.with_policy.longest.max <= 169


@pytest.mark.heavy
def test_receipts_that_took_more_than_a_day_are_those_that_are_late(database: Database, steps: Steps) -> None:
    cursor = database.cursor()
    late = cursor.execute("SELECT position FROM commitments WHERE kind = 'receive' AND met_late").fetchall()
    waited = cursor.execute("SELECT position FROM handoffs WHERE wait_seconds > 86400").fetchall()
    cursor.close()
    assert sorted(late) == sorted(waited)
    received = (steps.kind == "receive") & steps.met
    assert int((received & steps.late).sum()) == len(waited)
    assert int(received.sum()) == 9_098


@pytest.mark.heavy
def test_how_long_steps_took_is_what_the_read_models_say(database: Database, steps: Steps) -> None:
    cursor = database.cursor()
    worked = cursor.execute(
        "SELECT worked FROM commitments WHERE kind IN ('receive', 'answer') AND state = 'met'"
    ).fetchall()
    cursor.close()
    mine = steps.took[np.isin(steps.kind, ["receive", "answer"]) & steps.met]
    assert sorted((mine // 1_000_000).tolist()) == sorted(seconds for (seconds,) in worked)


@pytest.mark.heavy
def test_what_a_rule_is_judged_by_is_what_happened(steps: Steps) -> None:
    done = steps.met & ~steps.promised
    shares = shares_at(steps.took[done], steps.allowed[done])
    assert shares.late == steps.late[done].mean()
    assert shares.idle == pytest.approx(steps.idle[done].mean(), abs=1e-4)
