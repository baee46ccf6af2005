"""XES: traces with events, parsed as a stream without a tree. Entities and references to other files are refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from services.importing.mapping import Mapping
from services.importing.report import LogError
from services.importing.rows import Row, row_maker

#: Before a key, as process mining tools write it: an attribute of the trace, not of the event.
_OF_TRACE: Final = "case:"

_CHUNK: Final = 1 << 16

#: A tag, an attribute or a comment of more bytes is refused: expat holds it whole, and begins it anew with every chunk.
MAX_TAG: Final = 1 << 20


def xes_rows(mapping: Mapping, file: str, stream: io.BufferedReader) -> Iterator[Row]:
    """The events of all traces. Raises LogError if the file is not XES, or stops being it."""
    parser = DefusedExpatParser(forbid_dtd=False, forbid_entities=True, forbid_external=True)
    handler = _Events(mapping, where=parser)
    parser.setContentHandler(handler)
    make = row_maker(mapping, own_times=False)
    damage: str | None = None
    reached: tuple[int | None, int | None] = (0, 0)
    unfinished = 0
    while damage is None:
        chunk = stream.read(_CHUNK)
        try:
            if chunk:
                parser.feed(chunk)
            else:
                parser.close()
            before, reached = reached, (parser.getLineNumber(), parser.getColumnNumber())
            unfinished = unfinished + len(chunk) if reached == before else 0
            if unfinished > MAX_TAG:
                damage = f"something in line {reached[0]} is longer than {MAX_TAG} characters"
        except DefusedXmlException:
            damage = "it declares entities or refers to other files, which is refused"
        except (SAXException, ValueError, LookupError) as error:
            damage = f"it is not XML: {error.getMessage() if isinstance(error, SAXException) else error}"
        except LogError as error:
            damage = str(error)
        found, handler.found = handler.found, []
        for line, columns in found:
            yield make(file, line, columns)
        if not chunk:
            break
    if damage is not None:
        raise LogError(damage)


class _Events(ContentHandler):
    """Collects the wanted attributes of each event; nested attributes, lists and declarations are passed over."""

    def __init__(self, mapping: Mapping, where: Locator) -> None:
        super().__init__()
        self._where = where
        self.found: list[tuple[int, dict[str, str]]] = []
        self._columns = mapping.columns
        wanted = {key for keys in mapping.columns.values() for key in keys}
        self._of_event = frozenset(wanted)
        self._of_trace = frozenset(key.removeprefix(_OF_TRACE) for key in wanted if key.startswith(_OF_TRACE))
        self._trace: dict[str, str] = {}
        self._event: dict[str, str] = {}
        self._place = "outside"  # outside → log → trace → event
        self._skipping = 0  # depth inside something that is passed over
        self._line = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        if self._skipping:
            self._skipping += 1
            return
        if self._place == "event":
            key = attrs.get("key")
            if key in self._of_event:
                self._event[key] = attrs.get("value") or ""
            self._skipping = 1
            return
        local = name.rpartition(":")[2]
        if self._place == "trace":
            if local == "event":
                self._place, self._event, self._line = "event", {}, self._where.getLineNumber() or 0
                return
            key = attrs.get("key")
            if key in self._of_trace:
                self._trace[_OF_TRACE + key] = attrs.get("value") or ""
            self._skipping = 1
        elif self._place == "log":
            if local == "trace":
                self._place, self._trace = "trace", {}
            else:
                self._skipping = 1
        elif local == "log":
            self._place = "log"
        else:
            raise LogError(f"it is no XES log: its root is <{name[:60]}>, not <log>")

    def endElement(self, name: str) -> None:
        if self._skipping:
            self._skipping -= 1
        elif self._place == "event":
            self.found.append((self._line, self._named()))
            self._place = "trace"
        elif self._place == "trace":
            self._place = "log"

    def _named(self) -> dict[str, str]:
        """The mapping's columns of the event: of several keys the first that it has."""
        attributes = {**self._trace, **self._event}
        named = {}
        for name, keys in self._columns.items():
            for key in keys:
                if key in attributes:
                    named[name] = attributes[key]
                    break
        return named
