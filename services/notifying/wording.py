"""Puts a planned message into words: one Jinja template per kind and language, in the accountable party's voice.

In a template a line break is a space and an empty line separates paragraphs; lines of a list start with ``- ``, ⏎ ends
a line for good, and ✂ ends the part that tells what happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from services.notifying.dates import ZONE, spoken
from services.notifying.discretion import one_line
from services.notifying.phrases import PHRASES, says_sorry_first
from services.notifying.records import MessagePlan
from services.notifying.templating import TemplateFaultError, first_of, render
from services.notifying.values import LINE_END, STORY_END, card_of, values_of
from services.parties import PartyCard

__all__ = ["Wording", "card_of", "check_holds", "compose", "salutation", "together", "worded_by"]


@dataclass(frozen=True)
class Wording:
    """A message without salutation: no name and no address of the customer are in it.

    ``story`` is the beginning of ``body``, which tells what happened and what is next: it can stand in another letter.
    """

    language: str
    subject: str
    body: str
    story: str


def compose(
    plan: MessagePlan,
    cards: Mapping[str, PartyCard],
    language: str | None,
    *,
    zone: ZoneInfo | None = None,
    templates: Path | None = None,
    urgent: bool = False,
) -> Wording:
    """Word ``plan`` in ``language`` (English if we do not speak it); ``cards`` is the party registry.

    Times are told in ``zone``, hers; of an ``urgent`` order to the hour. ``templates`` is the folder of a shop's own
    (by default that which the environment names): where one of them fails, the message is told in our words.
    """
    attempt = partial(worded_by, plan, cards, language, zone=zone, urgent=urgent)
    return first_of(attempt, templates)


def worded_by(
    plan: MessagePlan,
    cards: Mapping[str, PartyCard],
    language: str | None,
    templates: Path | None,
    *,
    zone: ZoneInfo | None = None,
    urgent: bool = False,
) -> Wording:
    """As ``compose``, with nothing to fall back to: raises TemplateFaultError for what is wrong with ``templates``."""
    code = spoken(language)
    values = values_of(plan, cards, code, zone or ZONE, urgent=urgent)
    subject = one_line(render(f"{code}/{plan.kind}.subject.j2", values, templates))
    name = f"{code}/{plan.kind}.body.j2"
    story, _, rest = render(name, values, templates).partition(STORY_END)
    wording = Wording(code, subject, _laid_out(f"{story}\n\n{rest}"), _laid_out(story))
    if templates is not None:
        file = str(templates / name)
        if not wording.subject:
            raise TemplateFaultError(file, "the subject is empty")
        check_holds(wording.body, values, file)
    return wording


def salutation(name: str | None, language: str, *, templates: Path | None = None) -> str:
    """``Dear Anna,`` for the top of a message; it is added when the message leaves, and kept nowhere."""
    values: dict[str, object] = {"name": one_line(name or "")[:100]}
    return first_of(lambda folder: one_line(render(f"{spoken(language)}/salutation.j2", values, folder)), templates)


def together(stories: Sequence[str], body: str, language: str) -> str:
    """One body of several messages: the ``stories`` of the earlier ones, oldest first, then the ``body`` of the last.

    What would be said twice is said once, and what was to come next after an earlier one is left to the last. A story
    may also be a whole body.
    """
    phrases, told = PHRASES[spoken(language)], _paragraphs(body)
    earlier: list[str] = []
    for story in reversed(stories):  # what comes later has the last word
        new = [
            paragraph
            for paragraph in _story_of(_paragraphs(story), spoken(language))
            if paragraph not in told and paragraph not in earlier and not phrases.next_step.search(paragraph)
        ]
        earlier = new + earlier
    if any(phrases.answer_late.search(each) for each in (*earlier, *told)):
        earlier, told = ([each for each in part if not phrases.answer_owed.search(each)] for part in (earlier, told))
    if not earlier:
        return body
    if says_sorry_first(earlier[0], spoken(language)):
        top = []
    else:
        sorry = any(says_sorry_first(each, spoken(language)) for each in (*stories, body))
        top = [phrases.several_sorry if sorry else phrases.several]
    return "\n\n".join([*top, *earlier, *told]) + "\n"


def _paragraphs(text: str) -> list[str]:
    return [paragraph for paragraph in text.strip().split("\n\n") if paragraph]


def _story_of(paragraphs: list[str], code: str) -> list[str]:
    """Of a whole body the part before the date of the next news; a story as it is."""
    phrases = PHRASES[code]
    if not any(phrases.sign_off.search(each) for each in paragraphs):
        return paragraphs
    news = [place for place, each in enumerate(paragraphs) if phrases.next_news.search(each)]
    return paragraphs[: news[-1]] if news else paragraphs


def check_holds(text: str, values: Mapping[str, object], file: str) -> None:
    """What no message may lack, whoever wrote its template. Raises TemplateFaultError."""
    for name, what in (("next_news", "the date of the next news"), ("order", "the order's number")):
        if values[name] and str(values[name]) not in text:
            raise TemplateFaultError(file, f"the message does not hold {what} ({name})")


def _laid_out(text: str) -> str:
    """Paragraphs on one line each, with one empty line between them."""
    paragraphs = []
    for block in re.split(r"\n[ \t]*\n", text):
        joined = re.sub(r"[ \t]*\n[ \t]*(?!- )", " ", block.strip())
        joined = re.sub(rf"[ \t]*{LINE_END}[ \t]*", "\n", re.sub(r"[ \t]{2,}", " ", joined))
        if joined:
            paragraphs.append(joined)
    return "\n\n".join(paragraphs) + "\n"
