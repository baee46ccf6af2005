"""Messages that are taken apart without SQL: the rows are those of the statement, whatever is plain and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import vocabulary
from events.golden import golden
from projections import plain
from projections.mirror import Message, known_types
from projections.schema import make_apart
from projections.statements import read_sql
from projections.workbench import Workbench
from tests.projections.story import opened
from tests.sampling import examples

GOLDEN = [golden(name, version) for _, name, version in known_types()]


@pytest.fixture(scope="module")
def bench() -> Iterator[Workbench]:
    bench = make_apart()
    types, names, versions = (list(column) for column in zip(*known_types(), strict=True))
    vocabulary_rows = {"full_type": types, "name": names, "version": pa.array(versions, pa.int32()), "fact": names}
    bench.put("vocabulary", pa.table(vocabulary_rows))
    yield bench
    bench.cursor.close()


def apart(bench: Workbench, payloads: list[bytes]) -> pa.Table | None:
    def hashes(hashed: pa.Table) -> pa.Table:
        bench.put("hashed", hashed)
        return bench.make(plain.HASHES)

    return plain.rows_of(numbered(payloads), hashes)


def by_the_statement(bench: Workbench, payloads: list[bytes]) -> pa.Table:
    positions, texts = zip(*numbered(payloads), strict=True)
    bench.put("incoming", pa.table({"position": pa.array(positions), "payload": pa.array(texts, pa.binary())}))
    return bench.make(read_sql("incoming_events"))


def numbered(payloads: list[bytes]) -> list[Message]:
    return list(enumerate(payloads, 1))


def test_all_that_we_write_is_plain_and_the_rows_are_those_of_the_statement(bench: Workbench) -> None:
    payloads = [orjson.dumps(event) for event in GOLDEN] + [opened().to_json()]
    rows = apart(bench, payloads)
    assert rows is not None
    expected = by_the_statement(bench, payloads)
    assert rows.schema == expected.schema
    assert rows.to_pylist() == expected.to_pylist()
    assert len(GOLDEN) >= len(vocabulary.FACTS)


def changed(event: dict[str, Any], **data: Any) -> bytes:
    return orjson.dumps({**event, "data": {**event["data"], **data}})


OPENED = golden("order.opened", 1)
WITH_FRACTIONS = changed(OPENED, more=[{"and": 1e21}])
TWICE = orjson.dumps(OPENED).replace(b'"data":{', b'"data":{"urgency":null,', 1)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"\xff\xfe",
        orjson.dumps(OPENED, option=orjson.OPT_INDENT_2),
        orjson.dumps({**OPENED, "type": "repairchain.order.opened.v9"}),
        orjson.dumps({**OPENED, "type": ["repairchain.order.opened.v1"]}),
        orjson.dumps({**OPENED, "id": ""}),
        orjson.dumps({**OPENED, "time": "2026-03-02T10:00:00+01:00"}),
        orjson.dumps({**OPENED, "time": "2026-02-30T10:00:00Z"}),
        orjson.dumps({**OPENED, "time": ""}),
        orjson.dumps({**OPENED, "recordedtime": None}),
        orjson.dumps({**OPENED, "recordedtime": 1_780_000_000}),
        orjson.dumps({**OPENED, "data": []}),
        changed(OPENED, fault_text="a bell: \a"),
        changed(OPENED, customer=5),
        changed(OPENED, by_when=5),
        changed(OPENED, by_when="tomorrow"),
        changed(OPENED, product="a watch"),
        changed(OPENED, reference="as well as the customer"),
        WITH_FRACTIONS,
        TWICE,
        b"[" * 5_000,
        changed(OPENED, more=5).replace(b":5}", b":" + b"[" * 300 + b"]" * 300 + b"}"),
    ],
)
def test_what_is_not_plain_is_left_to_the_statement(bench: Workbench, payload: bytes) -> None:
    assert apart(bench, [orjson.dumps(OPENED), payload]) is None


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70).map(lambda number: number if abs(number) < 2**63 else 2**63),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["2026-03-02T10:00:00Z", "2026-03-02T10:00:00.5+00:00", "0001-01-01T00:00:00Z", "x", "2026-03-02"]),
    st.lists(st.text(max_size=4) | st.integers(0, 9), max_size=3),
    st.dictionaries(st.sampled_from(["brand", "model", "serial", "category", "z"]), st.text(max_size=4) | st.none()),
)
KEYS = sorted({key for event in GOLDEN for key in event["data"]} | {"to", "old_serial", "from", "holds", "unheard"})


@settings(max_examples=examples(12, 400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_rows_are_those_of_the_statement(bench: Workbench, data: st.DataObject) -> None:
    events = data.draw(st.lists(st.sampled_from(GOLDEN), min_size=1, max_size=6))
    payloads = []
    for event in events:
        fields = data.draw(st.dictionaries(st.sampled_from(sorted(event)), VALUES, max_size=1))
        more = data.draw(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))
        kept = data.draw(st.sets(st.sampled_from(sorted(event["data"]) or ["-"]), max_size=3))
        event_data = {key: value for key, value in event["data"].items() if key in kept} | more
        payloads.append(orjson.dumps({**event, "data": event_data, **fields}))
    expected = by_the_statement(bench, payloads)
    for at, payload in enumerate(payloads):
        rows = apart(bench, [payload])
        if rows is not None:
            assert (
                rows.drop_columns("position").to_pylist() == expected.slice(at, 1).drop_columns("position").to_pylist()
            )
