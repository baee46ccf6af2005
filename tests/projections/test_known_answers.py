"""The answers that were worked out independently for a real log of 65,533 rows between 649 teams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.database import Database, open_database
from projections.queries import run
from tests.projections.incidents import FOLDER_VARIABLE, incidents_file, read_incidents

INCIDENTS = incidents_file()
pytestmark = pytest.mark.skipif(
    not INCIDENTS.exists(),
    reason=f"the log is not part of the project: {INCIDENTS} is absent (or set {FOLDER_VARIABLE})",
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    file: Path = tmp_path_factory.mktemp("incidents") / "chain.db"
    messages = [(position, event.to_json()) for position, event in enumerate(read_incidents(INCIDENTS), start=1)]
    with open_database(file) as database:
        database.mirror_only(messages)
        database.rebuild()
        yield database


def test_the_figures_are_the_known_ones(database: Database) -> None:
    stats = run(database, "stats")
    assert {name: stats[name] for name in KNOWN} == KNOWN


KNOWN = {
    "orders": 7_554,
    "open_orders": 8,
    "handoffs": 9_454,
    "handoffs_received": 9_098,
    "handoffs_never_received": 356,
    "ping_pong_orders": 1_177,
    "reopenings": 580,
    "reopened_orders": 514,
    "wait_p50": 1_974,
    "wait_p90": 149_141,
    "messages": 0,
    "unknown_facts": 0,
    "parties": 649,
}


def test_the_busiest_lane_is_the_known_one(database: Database) -> None:
    busiest = run(database, "handoffs", {"limit": 1})["lanes"][0]
    assert (busiest["from_party"], busiest["to_party"], busiest["count"]) == ("repairer:G96", "repairer:G97", 255)


def test_the_lanes_add_up(database: Database) -> None:
    answer = run(database, "handoffs", {"limit": 100_000})
    for figure in ("count", "received", "never_received", "waiting"):
        assert sum(lane[figure] for lane in answer["lanes"]) == answer["totals"][figure]
