"""CSV: a header, then a row a record. Broken records are told apart from good ones and never stop the rest."""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from services.importing.mapping import Mapping
from services.importing.report import LogError
from services.importing.rows import Row, row_maker

#: A longer line is no record: a bound on memory for files that are something else.
MAX_LINE: Final = 1 << 20

#: The byte order mark that spreadsheets put before UTF-8, as the encodings of the West read it: ``ï»¿``.
_MARK_MISREAD: Final = codecs.BOM_UTF8.decode("latin-1")

#: ``extra#/impact``: the member ``impact`` of the JSON object in the column ``extra``.
_MEMBER: Final = "#/"


def csv_rows(mapping: Mapping, file: str, stream: io.BufferedReader) -> Iterator[Row]:
    """The rows after the header. Raises LogError if there is no header, or a column of the mapping is not in it."""
    log = mapping.log
    encoding = "utf-8-sig" if log.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else log.encoding
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=log.delimiter, quotechar=log.quote, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except (csv.Error, UnicodeError) as error:
        raise LogError(f"its header cannot be read: {error}") from None
    columns_of = _column_picker(mapping, header)
    make = row_maker(mapping, own_times=True)
    while True:
        begin = lines.begin()
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_back()
            yield _unreadable(file, begin, str(error))
            continue
        except UnicodeError as error:  # some encodings cannot go on after a wrong byte
            raise LogError(f"it is not {log.encoding}: {error}") from None
        if not record:
            continue
        if len(record) != len(header) and (len(record) < len(header) or any(record[len(header) :])):
            yield _unreadable(file, begin, f"it has {len(record)} fields, the header has {len(header)}")
            continue
        columns = columns_of(record)
        joined = "".join(columns.values())
        if not joined.isascii() and _undecodable(joined):
            yield _unreadable(file, begin, f"it holds bytes that are not {log.encoding}: log.encoding says which it is")
            continue
        yield make(file, begin, columns)


def _unreadable(file: str, line: int, reason: str) -> Row:
    return Row(file, line, "", None, {}, reason)


def _undecodable(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


class _Lines:
    """The lines of a text, counted. Those of a record that went wrong can be given back, all but the first."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._record: list[str | None] = []  # lines of the record at hand; None stands for one that was too long
        self._again: deque[str | None] = deque()
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self._record.append(line)
        self.number += 1
        if line is None:
            raise csv.Error(f"it is longer than {MAX_LINE} characters")
        return line

    def begin(self) -> int:
        """A new record begins with the next line; its number."""
        self._record.clear()
        return self.number + 1

    def give_back(self) -> None:
        """A quote that is never closed swallows rows: only the line that it stands in is lost."""
        self._again.extendleft(reversed(self._record[1:]))
        self.number -= max(len(self._record) - 1, 0)

    def _read(self) -> str | None:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        if len(line) < MAX_LINE or line.endswith(("\n", "\r")):
            return line
        while (rest := self._text.readline(MAX_LINE)) and not rest.endswith(("\n", "\r")):
            pass
        return None


def _column_picker(mapping: Mapping, header: list[str]) -> Callable[[list[str]], dict[str, str]]:
    """A function record → columns of the mapping, resolved once against the header."""
    plain: dict[str, int] = {}
    members: dict[int, list[tuple[str, str]]] = {}
    for name, candidates in mapping.columns.items():
        index, member = _find(name, candidates, header)
        if member is None:
            plain[name] = index
        else:
            members.setdefault(index, []).append((name, member))

    plain_names, plain_cells = tuple(plain), tuple(plain.values())

    def pick(record: list[str]) -> dict[str, str]:
        columns = dict(zip(plain_names, [record[index] for index in plain_cells], strict=True))
        for index, wanted in members.items():
            document = _json_object(record[index])
            for name, member in wanted:
                columns[name] = _text(document.get(member))
        return columns

    return pick


def _find(name: str, candidates: tuple[str, ...], header: list[str]) -> tuple[int, str | None]:
    for candidate in candidates:
        column, mark, member = (candidate, "", "") if candidate in header else candidate.partition(_MEMBER)
        if column in header:
            if header.count(column) > 1:
                raise LogError(f"columns.{name}: the header names '{column}' more than once")
            return header.index(column), member if mark else None
    wanted = " or ".join(f"'{candidate}'" for candidate in candidates)
    shown = ", ".join(header[:20]) or "nothing"
    # One column with a mark in its name is a whole header that was not taken apart.
    other = next((f"; is log.delimiter {mark!r}?" for mark in ";\t|," if len(header) == 1 and mark in shown), "")
    if shown.startswith(_MARK_MISREAD):
        other = '; it begins with the mark of UTF-8: is log.encoding "utf-8"?'
    raise LogError(f"columns.{name}: the header has no column {wanted}; it has {shown[:300]}{other}")


def _json_object(text: str) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""
