"""Whatever stands in the log is mirrored, once: garbage is kept, and old versions are read as new ones."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import vocabulary
from projections.database import Database
from projections.merging import until
from projections.mirror import lift, unseen
from projections.queries import run
from tests.projections.story import BENCH, SHOP, fact, handed, messages_of, opened, received
from tests.sampling import examples

GOOD = opened().to_json()


def events(database: Database) -> list[tuple[Any, ...]]:
    cursor = database.cursor()
    try:
        columns = "position, order_id, type, fact IS NOT NULL, occurred_at::VARCHAR, data"
        return cursor.execute(f"SELECT {columns} FROM events ORDER BY position").fetchall()
    finally:
        cursor.close()


def changed(**fields: Any) -> bytes:
    return orjson.dumps({**orjson.loads(GOOD), **fields})


GARBAGE = [
    b"",
    b"null",
    b"[]",
    b"\xff\xfe not text",
    b'{"id": "half a messa',
    b"[" * 5_000,
    b"NaN",
    b'{"id":"\\ud800"}',
    changed(id=""),
    changed(subject=None),
    changed(time="soon", recordedtime=None),
]


def test_garbage_is_kept_as_unreadable_and_stops_nothing(database: Database) -> None:
    payloads = [*GARBAGE, GOOD]
    database.apply(list(enumerate(payloads, 1)))
    rows = events(database)
    assert [row[2] for row in rows] == ["unreadable"] * len(GARBAGE) + ["order.opened"]
    assert orjson.loads(rows[3][5]) == {"payload": "\\xFF\\xFE not text"}
    assert run(database, "stats")["unknown_facts"] == len(GARBAGE)
    assert run(database, "stats")["orders"] == 1
    assert run(database, "timeline", {"order": "W-1"})["order"]["status"] == "taken_in"


def test_fields_of_another_shape_do_no_harm(database: Database) -> None:
    data = {
        "product": "a watch",
        "customer": {"name": "Ann"},
        "items": 3,
        "accountable": 7,
        "to": [1],
        "from": "retailer:a",
    }
    database.apply([(1, changed(data=data)), (2, changed(id="x", data=[])), (3, changed(id="y", data="?"))])
    assert run(database, "status", {"order": "W-1"})["facts"] == 3
    assert [orjson.loads(row[5]) for row in events(database)] == [data, [], "?"]


@pytest.mark.parametrize(
    ("time", "occurred"),
    [
        ("2026-03-02T10:00:00Z", "2026-03-02 10:00:00"),
        ("2026-03-02T10:00:00.25+02:00", "2026-03-02 08:00:00.25"),
        ("2026-03-02T00:00:00-05:00", "2026-03-02 05:00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-02 00:00:00"),
    ],
)
def test_every_time_is_kept_in_utc(database: Database, time: str, occurred: str) -> None:
    database.apply([(1, changed(time=time, recordedtime="2030-01-01T00:00:00Z"))])
    assert events(database)[0][4] == occurred


@settings(max_examples=examples(8, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    payloads=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.text(max_size=40).map(str.encode),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.text(max_size=8),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
                max_leaves=8,
            ).map(lambda value: changed(data=value, time=value)),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_no_payload_breaks_the_mirror(database: Database, payloads: list[bytes]) -> None:
    before = database.position
    database.apply([(before + number, payload) for number, payload in enumerate(payloads, 1)])
    assert database.position == before + len(payloads)


def test_positions_that_were_seen_are_passed_over(database: Database) -> None:
    batch = messages_of([opened(), opened(order="W-2")])
    assert database.apply(batch) == 2
    assert database.apply(batch) == 2
    assert database.apply([*batch, (9, opened(order="W-3").to_json()), *batch]) == 9
    assert [row[0] for row in events(database)] == [1, 2, 9]
    assert database.apply([]) == 9


@pytest.mark.parametrize("together", [True, False])
def test_by_where_an_order_ends_is_raised_when_facts_come_after_that(database: Database, together: bool) -> None:
    end = int(until(1, 1))
    (first,) = messages_of([opened()], first=1)
    later = [
        (end, received(SHOP, "2026-03-03 09:00").to_json()),
        (end + 1, opened(order="W-2").to_json()),
        (end + 2, handed(SHOP, BENCH, "2026-03-04 09:00").to_json()),
    ]
    database.apply([first])
    for batch in [later] if together else [[message] for message in later]:
        database.apply(batch)
    cursor = database.cursor()
    stored = cursor.execute("SELECT order_id, first_position, until FROM subjects ORDER BY order_id").fetchall()
    cursor.close()
    assert stored == [("W-1", 1, until(1, end + 2)), ("W-2", end + 1, until(end + 1, end + 1))]
    assert stored[0][2] > end
    assert len(run(database, "timeline", {"order": "W-1"})["entries"]) == 3


def test_a_batch_is_put_in_order() -> None:
    assert list(unseen([(3, b"c"), (1, b"a"), (2, b"b"), (3, b"c")], 1)) == [(2, b"b"), (3, b"c")]


def test_an_old_version_is_read_as_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vocabulary.UPCASTERS, ("order.closed", 1), lambda data: {"outcome": data["end"]})
    old = fact("order.closed", SHOP, "2026-03-02 10:00", {"end": "repaired"}).to_json()
    new = orjson.loads(lift(old))
    assert (new["type"], new["data"]) == ("repairchain.order.closed.v2", {"outcome": "repaired"})
    assert lift(GOOD) is GOOD
    assert [lift(payload) for payload in GARBAGE] == GARBAGE
