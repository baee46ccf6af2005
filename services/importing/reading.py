"""Opens a log, gzipped or not, tells CSV from XES, and gives its rows one by one in constant memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Final, cast

from services.importing.csvlog import csv_rows
from services.importing.mapping import Mapping
from services.importing.report import ImportReport, LogError
from services.importing.rows import Row
from services.importing.xes import xes_rows

_GZIP: Final = b"\x1f\x8b"


def read_rows(
    mapping: Mapping, files: Sequence[Path], report: ImportReport | None = None
) -> Generator[Row, None, None]:
    """The rows of ``files`` in the order in which they stand; those that cannot be used carry their problem.

    Raises LogError if a file cannot be read at all (not there, not the format, without a needed column), before the
    first row of any. Damage that shows after rows have been read (a cut-off file) goes to ``report.damaged``, and the
    next file follows.
    """
    report = ImportReport() if report is None else report
    for path in files[1:]:  # else those before it would have been handed in by then
        with closing(read_rows(mapping, [path])) as rows_of_it:
            next(rows_of_it, None)
    for path in files:
        last = 0
        try:
            with _opened(path) as stream:
                rows = xes_rows if _is_xes(mapping, stream) else csv_rows
                for row in rows(mapping, path.name, stream):
                    last = row.line
                    yield row
        except LogError as error:
            if not last:
                raise LogError(f"{path}: {error}") from None
            report.stop_file(path.name, last, str(error))
        except (OSError, EOFError, zlib.error) as error:
            reason = f"cannot be read: {getattr(error, 'strerror', None) or error}"
            if not last:
                raise LogError(f"{path} {reason}") from None
            report.stop_file(path.name, last, reason)


def _opened(path: Path) -> io.BufferedReader:
    """The plain bytes of a file, unpacked if it is gzipped (whatever its name says)."""
    stream = path.open("rb")
    packed = stream.peek(len(_GZIP)).startswith(_GZIP)
    if not packed:
        return stream
    # The file is closed with its reader: GzipFile would leave a file that it was given open.
    return io.BufferedReader(_Unpacked(stream))


class _Unpacked(io.RawIOBase):
    def __init__(self, packed: io.BufferedReader) -> None:
        self._packed = packed
        self._plain = cast("IO[bytes]", gzip.GzipFile(fileobj=packed, mode="rb"))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader hands us a memoryview
        data = self._plain.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._packed.close()
        super().close()


def _is_xes(mapping: Mapping, stream: io.BufferedReader) -> bool:
    if mapping.log.format != "auto":
        return mapping.log.format == "xes"
    start = stream.peek(1_024)[:1_024]
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        start = start.removeprefix(mark)
    return start.replace(b"\0", b"").lstrip().startswith(b"<")
