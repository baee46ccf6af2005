"""The short form of a message, for a text on her telephone: one template per kind and language, in few lines.

In a template a line break is a space and an empty line begins a new line; ✂ stands on both sides of the part that tells
what happened. Nothing is ever cut: what is short enough is in it, and the letter has the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from services.notifying.dates import ZONE, spoken
from services.notifying.discretion import one_line
from services.notifying.phrases import PHRASES, says_sorry_first
from services.notifying.records import MessagePlan
from services.notifying.templating import TemplateFaultError, first_of, render
from services.notifying.values import STORY_END, values_of
from services.notifying.wording import check_holds
from services.parties import PartyCard

#: What a text is to fit into, in characters: two or three of those that a network sends.
AIM: Final = 320


@dataclass(frozen=True)
class TextForm:
    """A message as a text, without name and address of the customer. ``gist`` is the line of ``text`` that tells what
    happened: it can stand in another text."""

    text: str
    gist: str


def text_form(
    plan: MessagePlan,
    cards: Mapping[str, PartyCard],
    language: str | None,
    *,
    zone: ZoneInfo | None = None,
    templates: Path | None = None,
    urgent: bool = False,
) -> TextForm:
    """The short form of ``plan``; all else as in ``wording.compose``."""
    return first_of(partial(text_form_by, plan, cards, language, zone=zone, urgent=urgent), templates)


def text_form_by(
    plan: MessagePlan,
    cards: Mapping[str, PartyCard],
    language: str | None,
    templates: Path | None,
    *,
    zone: ZoneInfo | None = None,
    urgent: bool = False,
) -> TextForm:
    """As ``text_form``, but raises TemplateFaultError for what is wrong with ``templates``: nothing to fall back to."""
    code = spoken(language)
    values = values_of(plan, cards, code, zone or ZONE, urgent=urgent)
    name = f"{code}/{plan.kind}.text.j2"
    head, _, told = render(name, values, templates).partition(STORY_END)
    gist, mark, rest = told.partition(STORY_END)
    gist = _line(gist)
    form = TextForm("\n".join([*_lines(head), gist, *_lines(rest)]), gist)
    if templates is not None:
        file = str(templates / name)
        if not mark or not gist:
            raise TemplateFaultError(file, f"{STORY_END} does not stand before and behind what happened")
        check_holds(form.text, values, file)
    return form


def texts_together(earlier: Sequence[TextForm], last: TextForm, language: str) -> str:
    """One text of several messages: what happened by the ``earlier`` ones, oldest first, in that of the ``last``.

    What we are sorry for comes first, as in a letter.
    """
    phrases = PHRASES[spoken(language)]
    gists = list(dict.fromkeys([*(each.gist for each in earlier), last.gist]))
    gists.sort(key=lambda gist: not says_sorry_first(gist, spoken(language)))
    lines = last.text.split("\n")
    if any(phrases.answer_late.search(gist) for gist in gists):
        lines = [line for line in lines if not phrases.answer_owed.search(line)]
    place = lines.index(last.gist)
    return "\n".join([*lines[:place], " ".join(gists), *lines[place + 1 :]])


def _lines(text: str) -> list[str]:
    return [line for block in re.split(r"\n[ \t]*\n", text) if (line := _line(block))]


def _line(text: str) -> str:
    return one_line(text)
