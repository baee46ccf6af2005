"""Files as they come: encodings, delimiters, quotes, times, damage; CSV and XES, gzipped or not."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.importing import ImportReport, LogError, Mapping, Row, facts_from, read_rows
from services.importing.xes import MAX_TAG
from tests.services.importing.helpers import HEADER, XES, XES_COLUMNS, facts_of, mapping

ROW = "W-1,2026-11-02T09:00:00Z,Nörd,Go\n"


def read(folder: Path, content: str | bytes, use: Mapping | None = None, *, name: str = "log") -> list[Row]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(use or mapping(), [path]))


def xes(use: str = "", *, namespace: str = "") -> tuple[str, Mapping]:
    return XES.replace("{namespace}", namespace), mapping(XES_COLUMNS + use)


# -- CSV --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "option"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("latin-1", "latin-1"), ("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_packed_or_not(tmp_path: Path, encoding: str, option: str, packed: bool) -> None:
    content = (HEADER + ROW).encode(encoding)
    (row,) = read(tmp_path, gzip.compress(content) if packed else content, mapping(f'[log]\nencoding = "{option}"'))
    assert (row.file, row.line, row.case, row.problem) == ("log", 2, "W-1", None)
    assert row.values == {"case": "W-1", "party": "Nörd", "activity": "Go"}
    assert row.time is not None
    assert row.time.isoformat() == "2026-11-02T09:00:00+00:00"


def test_bytes_of_another_encoding_spoil_their_row_alone(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER.encode() + ROW.encode("latin-1") + ROW.encode())
    assert [row.problem for row in rows] == ["it holds bytes that are not utf-8: log.encoding says which it is", None]


def test_delimiter_quotes_lines_in_fields_and_blank_lines(tmp_path: Path) -> None:
    content = "case;what;team;time\n\n'a;b';'two\nlines';it''s;2026-11-02T09:00Z\r\n'c';x;y;2026-11-02T09:00Z\n"
    first, second = read(tmp_path, content, mapping("[log]\ndelimiter = ';'\nquote = \"'\""))
    assert first.values == {"case": "a;b", "activity": "two\nlines", "party": "it''s"}
    assert (first.line, second.line) == (3, 5)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("W-1,2026-11-02T09:00Z,North", "it has 3 fields, the header has 4"),
        ("W-1,2026-11-02T09:00Z,North,Go,more", "it has 5 fields, the header has 4"),
        (",2026-11-02T09:00Z,North,Go", "it names no case"),
        ("  ,2026-11-02T09:00Z,North,Go", "it names no case"),
        ("W-1,,North,Go", "it has no time"),
        ("W-1,soon,North,Go", "its time 'soon' cannot be read: it is not as the mapping's log.time_format says: \"iso\" is ISO 8601, such as 2026-11-21T17:00:00+01:00"),  # noqa: E501
        ("W-1,2026-11-02,N,Go", "its time '2026-11-02' cannot be read: it has no offset, and the mapping's log.time_zone names no time zone"),  # noqa: E501
        ("W-1,0001-01-01T00+05,N,Go", "its time '0001-01-01T00+05' cannot be read: date value out of range"),
        ('"W-1"x,2026-11-02T09:00Z,North,Go', "',' expected after '\"'"),
        ("W-1," + "9" * 200_000 + ",North,Go", "field larger than field limit (131072)"),
        ("W-1," + "x" * 1_100_000, "it is longer than 1048576 characters"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path, line: str, problem: str) -> None:
    bad, good = read(tmp_path, HEADER + line + "\n" + ROW)
    assert (bad.line, bad.problem) == (2, problem)
    assert (good.line, good.problem) == (3, None)


def test_more_fields_are_fine_as_long_as_they_are_empty(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "W-1,2026-11-02T09:00Z,North,Go,,\n")[0].problem is None


@pytest.mark.parametrize("rows_after", [0, 1, 6_000])
def test_a_quote_that_is_never_closed_costs_its_own_row_alone(tmp_path: Path, rows_after: int) -> None:
    bad, *good = read(tmp_path, HEADER + ROW + 'W-1,"2026,North,Go\n' + ROW * rows_after)[1:]
    assert bad.line == 3
    assert bad.problem in ("unexpected end of data", "field larger than field limit (131072)")
    assert [row.line for row in good] == list(range(4, 4 + rows_after))
    assert {row.problem for row in good} <= {None}


def test_a_time_of_day_in_a_column_of_its_own(tmp_path: Path) -> None:
    content = "case;date;hour;team;what\nW-1;02-11-2026;10:00;North;Go\nW-1;03-11-2026;;North;Go\n"
    use = "[log]\ndelimiter = ';'\ntime_format = '%d-%m-%Y %H:%M'\ntime_zone = 'Europe/Amsterdam'\n"
    dated, bare = read(tmp_path, content, mapping(use + "[columns]\ntime = 'date'\ntime_of_day = 'hour'"))
    assert dated.time == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert "time_of_day" not in dated.values
    assert bare.problem == "it has no time of day"


def test_a_header_that_was_not_taken_apart_names_the_mark_in_it(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"it has case;time;team;what; is log.delimiter ';'\?$"):
        read(tmp_path, HEADER.replace(",", ";"))


@pytest.mark.parametrize(
    ("use", "written"),
    [
        ("time_format = '%d.%m.%Y %H:%M'\ntime_zone = 'Europe/Amsterdam'", "02.11.2026 10:00"),
        ("time_format = '%d/%m/%y %H:%M %z'", "02/11/26 11:00 +0200"),
        ("time_zone = 'Europe/Amsterdam'", "2026-11-02 10:00:00"),
        ("time_zone = 'Europe/Amsterdam'", "2026-11-02T09:00:00Z"),
    ],
)
def test_times(tmp_path: Path, use: str, written: str) -> None:
    (row,) = read(tmp_path, HEADER + f"W-1,{written},North,Go\n", mapping(f"[log]\n{use}"))
    assert row.time is not None
    assert row.time.isoformat() == "2026-11-02T09:00:00+00:00"


def test_values_that_mean_nothing_are_not_there(tmp_path: Path) -> None:
    use = mapping('[values]\nnothing = ["?", "EMPTY"]')
    (row,) = read(tmp_path, HEADER + "W-1,2026-11-02T09:00Z, ? ,EMPTY\n", use)
    assert row.values == {"case": "W-1"}


def test_members_of_json_in_a_column(tmp_path: Path) -> None:
    columns = '[columns]\nmodel = "extra#/model"\nage = "extra#/age"\nnew = "extra#/new"\nlist = "extra#/list"'
    content = (
        "case,time,team,what,extra\n"
        'W-1,2026-11-02T09:00Z,N,Go,"{""model"": ""X"", ""age"": 3, ""new"": true, ""list"": [1]}"\n'
        "W-1,2026-11-02T09:00Z,N,Go,no json\nW-1,2026-11-02T09:00Z,N,Go,[1]\n"
    )
    first, second, third = read(tmp_path, content, mapping(columns))
    assert {key: first.values.get(key) for key in ("model", "age", "new", "list")} == {
        "model": "X",
        "age": "3",
        "new": "true",
        "list": None,
    }
    assert "model" not in second.values
    assert "model" not in third.values


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("case,time,what", "columns.party: the header has no column 'team'; it has case, time, what"),
        ("case,time,team,what,team", "columns.party: the header names 'team' more than once"),
        ("", "columns.case: the header has no column 'case'; it has nothing"),
        ('"case', "its header cannot be read: unexpected end of data"),
    ],
)
def test_a_header_that_does_not_fit(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(LogError) as raised:
        read(tmp_path, header)
    assert str(raised.value) == f"{tmp_path / 'log'}: {message}"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_mark_of_utf_8_that_is_read_otherwise_is_told(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(LogError, match=r'columns\.case: .*mark of UTF-8: is log\.encoding "utf-8"\?'):
        read(tmp_path, (HEADER + ROW).encode("utf-8-sig"), mapping(f'[log]\nencoding = "{encoding}"'))


def test_a_time_of_another_pattern_is_told_with_the_pattern(tmp_path: Path) -> None:
    (row,) = read(tmp_path, HEADER + ROW, mapping("[log]\ntime_format = '%d.%m.%Y'\ntime_zone = 'Europe/Amsterdam'"))
    assert row.problem == (
        "its time '2026-11-02T09:00:00Z' cannot be read: it is not as the mapping's log.time_format says: \"%d.%m.%Y\""
    )


# -- XES --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://www.xes-standard.org/"'])
def test_events_with_their_traces_attributes_and_nothing_nested(tmp_path: Path, namespace: str) -> None:
    content, use = xes(namespace=namespace)
    first, second = read(tmp_path, content, use)
    assert first.values == {"case": "W-1", "party": "North", "activity": "Go"}
    assert first.time is not None
    assert (first.line, first.time.isoformat()) == (8, "2026-11-02T09:00:00+00:00")
    assert (second.line, second.case, second.problem) == (14, "W-1", "it has no time")


def test_prefixed_elements(tmp_path: Path) -> None:
    content, use = xes()
    for name in ("log", "trace", "event", "string", "date"):
        content = content.replace(f"<{name}", f"<x:{name}").replace(f"</{name}>", f"</x:{name}>")
    content = content.replace("xes.version", 'xmlns:x="http://www.xes-standard.org/" xes.version')
    assert len(read(tmp_path, content, use)) == 2


def test_of_several_keys_the_first_that_is_there(tmp_path: Path) -> None:
    content, use = xes('state = ["lifecycle:transition", "fixed"]')
    assert read(tmp_path, content, use)[0].values["state"] == "true"


def test_entities_and_other_files_are_refused(tmp_path: Path) -> None:
    laughs = '<!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    content, use = xes()
    outside = '<!DOCTYPE log SYSTEM "file:///etc/passwd">'
    for declaration in (laughs, outside):
        with pytest.raises(LogError, match="declares entities or refers to other files, which is refused"):
            read(tmp_path, content.replace("<log", declaration + "<log"), use)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<html><body/></html>", "it is no XES log: its root is <html>, not <log>"),
        ("<log", "it is not XML: "),
        ('<?xml version="1.0" encoding="klingon"?><log/>', "it is not XML: unknown encoding"),
    ],
)
def test_what_is_no_xes(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(LogError, match=message):
        read(tmp_path, content, mapping(XES_COLUMNS))


@pytest.mark.parametrize("begun", ['<log><trace><string key="concept:name" value="', "<log><!-- ", "<log><trace><"])
def test_a_part_of_xes_that_does_not_end_is_not_read_to_its_end(tmp_path: Path, begun: str) -> None:
    with pytest.raises(LogError, match="log: something in line 1 is longer than 1048576 characters"):
        read(tmp_path, begun + "A" * 2 * MAX_TAG, mapping(XES_COLUMNS))
    length = MAX_TAG // 2
    assert read(tmp_path, xes()[0].replace("<trace>", f"<!--{'A' * length}--><trace>"), mapping(XES_COLUMNS))


def test_a_csv_read_as_xes_and_the_other_way_round(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="it is not XML: syntax error"):
        read(tmp_path, HEADER + ROW, mapping('[log]\nformat = "xes"'))
    with pytest.raises(LogError, match=r"columns\.case: the header has no column"):
        read(tmp_path, xes()[0], mapping('[log]\nformat = "csv"'))


# -- damage -----------------------------------------------------------------------------------------------------------


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("kind", ["gzip", "xml"])
def test_a_file_that_is_cut_off_gives_what_it_has_and_the_next_file_follows(tmp_path: Path, kind: str) -> None:
    use = mapping()
    if kind == "gzip":
        noise = "".join(
            f"W-{n * 7919 % 100_000},2026-11-02T09:00:00Z,T{n * 104_729 % 1000},Go\n" for n in range(20_000)
        )
        content = _cut(gzip.compress((HEADER + noise).encode()))
    else:
        text, use = xes()
        content = text.encode().split(b"<trace/>")[0]
    (tmp_path / "cut").write_bytes(content)
    (tmp_path / "whole").write_bytes(HEADER.encode() if kind == "gzip" else xes()[0].encode())
    report = ImportReport()
    rows = list(read_rows(use, [tmp_path / "cut", tmp_path / "whole"], report))
    assert len(rows) > 1
    assert [each.file for each in report.damaged] == ["cut"]


@pytest.mark.parametrize("content", [b"\x1f\x8b", b"\x1f\x8bnonsense", _cut(gzip.compress(HEADER.encode(), mtime=0))])
def test_a_broken_gzip_from_the_start(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(LogError, match="log"):
        read(tmp_path, content)


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be read: Is a directory"):
        list(read_rows(mapping(), [tmp_path]))


# -- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xes"])
def test_memory_does_not_grow_with_the_log(tmp_path: Path, kind: str) -> None:
    use = mapping('[log]\ncases = "together"' + (XES_COLUMNS if kind == "xes" else ""))

    def peak(cases: int) -> int:
        path = tmp_path / f"{cases}"
        with path.open("w") as file:
            file.writelines(_large(kind, cases))
        tracemalloc.start()
        assert sum(1 for _ in facts_from(use, [path])) == cases
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)  # caches fill up once
    # Nothing but eight bytes or so is kept of a case that is over.
    assert peak(1_600) - peak(400) < 300_000


def _large(kind: str, cases: int) -> Iterator[str]:
    yield HEADER if kind == "csv" else "<log>"
    for case in range(cases):
        for _ in range(3):
            if kind == "csv":
                yield f"W-{case},2026-11-02T09:00Z,North,Go\n"
        if kind == "xes":
            party, time = (
                '<string key="org:group" value="N"/>',
                '<date key="time:timestamp" value="2026-11-02T09:00Z"/>',
            )
            events = f"<event>{party}{time}</event>" * 3
            yield f'<trace><string key="concept:name" value="W-{case}"/>{events}</trace>\n'
    yield "" if kind == "csv" else "</log>"


def test_facts_do_not_depend_on_the_format(tmp_path: Path) -> None:
    both = mapping(
        '[columns]\ncase = ["case", "case:concept:name"]\ntime = ["time", "time:timestamp"]\n'
        'party = ["team", "org:group"]\nactivity = ["what", "concept:name"]'
    )
    (tmp_path / "log.xes").write_text(xes()[0].replace('<event><string key="org:group" value="South"/></event>', ""))
    as_csv = facts_of(tmp_path, HEADER + "W-1,2026-11-02 10:00:00+01:00,North,Go\n", both)
    assert as_csv == list(facts_from(both, [tmp_path / "log.xes"]))
