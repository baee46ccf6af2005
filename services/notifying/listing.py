"""Puts a party's daily list into words: one template for all of it, in the language that the party's card asks for.

It is for the chain, not for a customer: parties are named in it. Of customers it holds no more than the log does.
``list.words.j2`` has the words for what may be owed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta

from services.notifying.dates import SPEECH, spoken
from services.notifying.discretion import one_line
from services.notifying.history import moment
from services.notifying.html import html_of
from services.notifying.templating import first_of, render
from services.notifying.wording import card_of
from services.parties import PartyCard

#: Who writes to parties.
US: Final = "repairchain"

#: In characters: what somebody said is in the log as a whole.
_LONGEST: Final = 300

Row = Mapping[str, Any]

#: The parts of a list that have lines, by the name of their total.
_PARTS: Final = {
    "calls": "calls",
    "overdue": "overdue",
    "asked": "asked",
    "contacts": "contacts",
    "orders": "open",
    "owed": "owed",
}


@dataclass(frozen=True)
class Line:
    """One line of a list, in words but for its ``kind`` and ``message``, for which the template has them.

    ``who`` is the party that is to do it, or that took down what a customer said; ``is_you`` if that is the reader.
    ``at`` is when it was asked or said, ``due`` by when it is owed, ``late`` for how long it has been. ``accountable``
    answers for the order, if that is not the reader. ``forgotten``: it would be told to a customer who was forgotten.
    ``at_home``: the product stays at her home. ``paused_for``: what is not ``due`` waits for the ``customer``, for who
    pays (``cover``), or for the ``item``. ``to_close``: nothing is owed any more, and the
    order is for the reader to close.
    What is not known is "".
    """

    order: str
    reference: str
    product: str
    who: str
    is_you: bool
    is_customer: bool
    kind: str
    topic: str
    accountable: str
    message: str
    at: str
    due: str
    late: str
    channel: str
    text: str
    forgotten: bool = False
    at_home: bool = False
    paused_for: tuple[str, ...] = ()
    to_close: bool = False


@dataclass(frozen=True)
class ListWording:
    """A list as a letter; ``html`` has the words of ``text`` and no others."""

    language: str
    subject: str
    text: str
    html: str


def worded_list(
    listing: Row, cards: Mapping[str, PartyCard], now: datetime, *, templates: Path | None = None
) -> ListWording:
    """The answer to the query ``briefing`` as it was asked ``now``, in words.

    ``templates`` is a folder of templates of an operator's own (see templating.py).
    """
    card = card_of(listing["party"], cards)
    language = spoken(card.language)
    values = _values(listing, cards, now, language)

    def attempt(folder: Path | None) -> tuple[str, str]:
        part = partial(render, values=values, folder=folder)
        return one_line(part(f"{language}/list.subject.j2")), _laid_out(part(f"{language}/list.body.j2"))

    subject, text = first_of(attempt, templates)
    return ListWording(language, subject, text, html_of(text, language=language, subject=subject, us=US))


def _values(listing: Row, cards: Mapping[str, PartyCard], now: datetime, language: str) -> dict[str, object]:
    words = _Words(listing, cards, now, language)
    totals = listing["totals"]
    more = {part: max(0, totals[total] - len(listing[part])) for part, total in _PARTS.items()}
    return {
        "party": listing["party"],
        "name": one_line(card_of(listing["party"], cards).display_name),
        "day": words.day(now),
        "since": words.day(moment(listing["since"])),
        "totals": dict(totals),
        "more": more,
        **{part: words.lines(listing[part]) for part in _PARTS},
    }


class _Words:
    """Puts single values into words, in the party's own time."""

    def __init__(self, listing: Row, cards: Mapping[str, PartyCard], now: datetime, language: str) -> None:
        self._party, self._cards, self._now = listing["party"], cards, now
        self._speech = SPEECH[language]
        self._zone = ZoneInfo(listing["time_zone"])

    def day(self, at: datetime) -> str:
        return self._speech.day(at, self._now, self._zone)

    def lines(self, rows: Sequence[Row]) -> tuple[Line, ...]:
        return tuple(self._line(row) for row in rows)

    def _line(self, row: Row) -> Line:
        who, accountable = row.get("owner") or row.get("party") or "", row.get("accountable") or ""
        return Line(
            order=_text(row["order"]),
            reference=_text(row.get("reference")),
            product=_text(row.get("product")),
            who=self._name(who),
            is_you=who == self._party,
            is_customer=who.partition(":")[0] == "customer",
            kind=row.get("kind") or "",
            topic=_text(row.get("topic")),
            accountable=self._name(accountable) if accountable != self._party else "",
            message=row.get("message_kind") or "",
            at=self._when(row.get("asked_at") or row.get("contacted_at") or row.get("opened_at")),
            due=self._when(row.get("due_at")),
            late=self._length(row.get("overdue_seconds")),
            channel=_text(row.get("channel")),
            text=_text(row.get("text")),
            forgotten=bool(row.get("customer_forgotten")),
            at_home=bool(row.get("at_home")),
            paused_for=tuple(row.get("paused_for") or ()),
            to_close=bool(row.get("to_close")),
        )

    def _name(self, party: str) -> str:
        return one_line(card_of(party, self._cards).display_name) if party else ""

    def _when(self, at: str | None) -> str:
        return self._speech.when(moment(at), self._now, self._zone) if at else ""

    def _length(self, seconds: int | None) -> str:
        """``2 days``; what has only just become late is so for a minute."""
        if seconds is None:
            return ""
        return format_timedelta(timedelta(seconds=seconds), "minute", threshold=1.5, locale=self._speech.locale)


def _text(value: object) -> str:
    line = one_line(str(value)) if value is not None else ""
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"


def _laid_out(text: str) -> str:
    """Paragraphs with one empty line between them, no line with blanks at an end."""
    lines = (re.sub(r"[ \t]{2,}", " ", line).strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
