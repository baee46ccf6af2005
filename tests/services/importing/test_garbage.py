"""Whatever bytes come in: facts, skipped rows, or one clear error. Nothing else is ever raised, and nothing is lost."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.importing import ImportProblem, ImportReport, Mapping, facts_from, read_mapping
from services.submission import Submission
from tests.sampling import examples
from tests.services.importing.helpers import HEADER, XES, XES_COLUMNS, mapping

FULL = """
[custody]
queued = ["Queued"]
[status]
closed = ["Completed"]
[[facts]]
when = { activity = ["Wait*"] }
type = "work.paused"
data = { waiting_for = "other", why = "{activity}" }
leaving = "work.resumed"
"""

cells = st.one_of(
    st.sampled_from(["W-1", "W-2", "2026-11-02T09:00Z", "North", "South", "Queued", "Completed", "Wait - X", "", "?"]),
    st.text(alphabet=st.characters(), max_size=12),
)
lines = st.lists(cells, min_size=1, max_size=6).map(",".join)
texts = st.lists(lines, max_size=12).map("\n".join).map(lambda text: text.encode("utf-8", "surrogatepass"))
anything = st.one_of(st.binary(max_size=300), texts)

many = settings(
    max_examples=examples(20, 150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def take(folder: Path, content: bytes, use: Mapping) -> ImportReport | None:
    """Import the bytes and check the sums; None if the file was refused as a whole."""
    path = folder / "log"
    path.write_bytes(content)
    report = ImportReport()
    try:
        submissions = list(facts_from(use, [path], report))
    except ImportProblem as problem:
        message = str(problem)
    else:
        check(report, submissions)
        return report
    assert message.startswith(str(path))
    return None


def check(report: ImportReport, submissions: list[Submission]) -> None:
    """The sums are right, and no two facts share an id."""
    assert report.facts == len(submissions) == sum(report.facts_by_type.values())
    assert report.rows >= report.rows_skipped
    ids = [(each.party, each.event["id"]) for each in submissions]
    assert len(set(ids)) == len(ids)


@many
@given(anything)
def test_any_bytes_as_a_csv(tmp_path: Path, content: bytes) -> None:
    take(tmp_path, content, mapping(FULL))


@many
@given(anything, st.sampled_from(["none", "time"]), st.sampled_from(["spread", "together"]))
def test_any_rows_below_a_header(tmp_path: Path, content: bytes, sort: str, cases: str) -> None:
    use = mapping(FULL + f'[log]\nsort = "{sort}"\ncases = "{cases}"')
    report = take(tmp_path, HEADER.encode() + content, use)
    assert report is not None


@many
@given(texts, st.sampled_from(["utf-16", "utf-32", "cp1252", "ascii", "shift_jis", "utf-7"]))
def test_any_bytes_in_other_encodings(tmp_path: Path, content: bytes, encoding: str) -> None:
    take(tmp_path, HEADER.encode(encoding) + content, mapping(FULL + f'[log]\nencoding = "{encoding}"'))


@many
@given(st.data())
def test_a_packed_log_with_some_bytes_changed(tmp_path: Path, data: st.DataObject) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write((HEADER + "W-1,2026-11-02T09:00Z,North,Go\n" * 50).encode())
    content = bytearray(packed.getvalue())
    for place in data.draw(st.lists(st.integers(2, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    take(tmp_path, bytes(content[: data.draw(st.integers(2, len(content)))]), mapping(FULL))


@many
@given(st.data())
def test_an_xes_with_pieces_moved_or_lost(tmp_path: Path, data: st.DataObject) -> None:
    pieces = XES.replace("{namespace}", "").splitlines(keepends=True)
    order = data.draw(st.lists(st.sampled_from(range(len(pieces))), max_size=25))
    changed = "".join(pieces[:2]) + "".join(pieces[index] for index in order)
    take(tmp_path, changed.encode(), mapping(XES_COLUMNS + FULL))
    take(tmp_path, b"<log>" + data.draw(anything), mapping(XES_COLUMNS + FULL))


toml_values = st.recursive(
    st.one_of(
        st.text(max_size=8), st.integers(-5, 5), st.booleans(), st.sampled_from(["{party}", "{x", "work.paused"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["column", "table", "otherwise", "activity", "when", "type", "data"]), inner),
    ),
    max_leaves=6,
)


@many
@given(
    st.dictionaries(
        st.sampled_from(["log", "columns", "values", "party", "order", "custody", "status", "aside", "facts"]),
        toml_values,
    )
)
def test_any_mapping_is_taken_or_refused_in_one_sentence(raw: dict[str, object]) -> None:
    least = {"log": {"name": "x"}, "columns": {"case": "c", "time": "t", "party": "p"}, "party": {"role": "repairer"}}
    for tried in (raw, {**least, **raw}):
        try:
            read_mapping(tried)
        except ImportProblem as problem:
            message = str(problem)
        else:
            message = "mapping: fine"
        assert message.startswith("mapping: ")


def test_a_stray_surrogate_is_no_fact(tmp_path: Path) -> None:
    report = take(tmp_path, HEADER.encode() + b"W-\xed\xa0\x80,2026-11-02T09:00Z,North,Go\n", mapping())
    assert report is not None
    assert (report.facts, report.rows_skipped) == (0, 1)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"\0" * 100])
def test_empty_files(tmp_path: Path, content: bytes) -> None:
    assert take(tmp_path, content, mapping()) is None
