"""The logs that lie beside the checkout (they are not ours to copy): the facts give the known answers."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from events.envelope import Event, split_type
from events.vocabulary import read_data
from services.importing import ImportReport, facts_from, load_mapping
from services.submission import Submission
from tests.services.importing.helpers import everything_was_used

EXAMPLES = Path(__file__).parents[3] / "examples"
DATA = Path(__file__).parents[4] / "shared" / "data"

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not beside this checkout (../shared/data)")


@cache
def _import(mapping: str, file: str) -> tuple[list[Submission], ImportReport]:
    report = ImportReport()
    path = DATA / file
    if not path.is_file():
        pytest.skip(f"{file} is not beside this checkout (../shared/data)")
    return list(facts_from(load_mapping(EXAMPLES / mapping), [path], report)), report


@pytest.fixture(scope="module")
def incidents() -> tuple[list[Submission], ImportReport]:
    return _import("bpi2013.toml", "bpi2013_incidents.csv.gz")


@needs_data
def test_incidents_give_the_known_answers(incidents: tuple[list[Submission], ImportReport]) -> None:
    submissions, report = incidents
    assert (report.rows, report.cases, everything_was_used(report)) == (65_533, 7_554, True)
    assert dict(report.facts_by_type) == {
        "order.opened": 7_554,
        "item.handed_over": 9_454,
        "item.received": 9_098,
        "order.closed": 8_126,
        "order.reopened": 580,
        "work.paused": 6_219,
        "work.resumed": 6_141,
    }
    state: dict[str, str] = {}
    reopened = set()
    lanes: defaultdict[tuple[str, str], int] = defaultdict(int)
    for each in submissions:
        name = split_type(each.event["type"])[0]
        if name.startswith("order."):
            state[each.subject] = name
        if name == "order.reopened":
            reopened.add(each.subject)
        if name == "item.handed_over":
            lanes[each.name, each.event["data"]["to"].partition(":")[2]] += 1
    assert len(reopened) == 514
    assert sum(name != "order.closed" for name in state.values()) == 8
    assert max((count, lane) for lane, count in lanes.items()) == (255, ("G96", "G97"))
    assert len({each.name for each in submissions}) == 649
    assert {each.role for each in submissions} == {"repairer"}
    assert not any("customer" in each.event["data"] for each in submissions)


@needs_data
@pytest.mark.heavy  # of small files test_reading.py says so
def test_incidents_say_the_same_in_either_format(incidents: tuple[list[Submission], ImportReport]) -> None:
    assert incidents[0] == _import("bpi2013.toml", "bpi2013_incidents.xes.gz")[0]


@needs_data
def test_telephone_repairs(incidents: tuple[list[Submission], ImportReport]) -> None:
    submissions, report = _import("telephone_repairs.toml", "telephone_repairs_synthetic.xes.gz")
    assert (report.rows, report.cases, everything_was_used(report)) == (11_855, 1_104, True)
    assert dict(report.facts_by_type) == {
        "order.opened": 1_104,
        "item.handed_over": 5_528,
        "item.received": 5_528,
        "diagnosis.made": 1_548,
        "repair.started": 1_510,
        "repair.completed": 1_064,
        "customer.contacted": 1_102,
        "order.closed": 1_000,
    }
    assert {each.role for each in submissions} == {"retailer", "repairer"}
    # A file of another log is no danger: no id and no order of the two is the same.
    assert not {each.event["id"] for each in submissions} & {each.event["id"] for each in incidents[0]}
    assert not {each.subject for each in submissions} & {each.subject for each in incidents[0]}


@needs_data
def test_what_is_said_is_what_the_vocabulary_takes(incidents: tuple[list[Submission], ImportReport]) -> None:
    phones, _ = _import("telephone_repairs.toml", "telephone_repairs_synthetic.xes.gz")
    for submission in incidents[0][:3_000] + phones[:3_000]:
        event = Event.model_validate(submission.event)
        assert read_data(*split_type(event.type), event.data) is not None
