"""Puts a planned message into words: one Jinja template per kind and language, in the accountable party's voice.

In a template a line break is a space and an empty line separates paragraphs; lines of a list start with ``- ``, and ⏎
ends a line for good.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from events.party import name_of
from projections.calendar import DEFAULT
from projections.clock import Clock, closing_of_working_day
from services.notifying.dates import SPEECH, spoken
from services.notifying.discretion import holds_no_address, one_line, part_is_gone, passed_on
from services.notifying.records import MessagePlan, News, Step
from services.parties import PartyCard

#: Subjects longer than this are cut off in most mailboxes, and a product can have any name.
_LONGEST_NAME: Final = 60

#: What we call a thing of which we know nothing.
_THING: Final = {"en": "item", "nl": "product"}


@dataclass(frozen=True)
class Wording:
    """A message without salutation: no name and no address of the customer are in it."""

    language: str
    subject: str
    body: str


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("services", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - plain text, in which an ampersand is an ampersand
        trim_blocks=True,
        lstrip_blocks=True,
    )


def compose(plan: MessagePlan, cards: Mapping[str, PartyCard], language: str | None) -> Wording:
    """Word ``plan`` in ``language`` (English if we do not speak it); ``cards`` is the party registry."""
    code = spoken(language)
    context = _context(plan, cards, code)
    subject = _templates().get_template(f"{code}/{plan.kind}.subject.j2").render(context)
    body = _templates().get_template(f"{code}/{plan.kind}.body.j2").render(context)
    return Wording(code, one_line(subject), _laid_out(body))


def salutation(name: str | None, language: str) -> str:
    """``Dear Anna,`` for the top of a message; it is added when the message leaves, and kept nowhere."""
    known = one_line(name or "")
    return one_line(_templates().get_template(f"{spoken(language)}/salutation.j2").render(name=known[:100]))


def card_of(party: str, cards: Mapping[str, PartyCard]) -> PartyCard:
    """The party's card; one that is not registered is called what its id calls it."""
    return cards.get(party) or PartyCard(display_name=name_of(party) or party)


def _context(plan: MessagePlan, cards: Mapping[str, PartyCard], code: str) -> dict[str, Any]:
    speech, news, card = SPEECH[code], plan.news, card_of(plan.accountable, cards)
    others = {*plan.parties, *cards} - {plan.accountable}
    links = [name for party in others for name in (name_of(party) or party, card_of(party, cards).display_name)]
    ours = [card.display_name, news.brand or "", news.model or ""]

    def told(text: str | None) -> str | None:
        return passed_on(text, links, ours)

    def day(moment: datetime) -> str:
        return speech.day(moment, plan.now)

    def when(moment: datetime) -> str:
        return speech.when(moment, plan.now)

    def step(each: Step) -> dict[str, Any]:
        window = speech.window(each.begin, each.end, plan.now) if each.begin and each.end else None
        item = told(each.item) if news.item is None else None
        return {
            "name": each.name,
            "day": day(each.at),
            "word": each.word,
            "text": told(each.text),
            "item": item,
            "window": window,
        }

    quote = news.quote
    held = quote.valid_until if quote else None
    questions = [text for each in news.questions if (text := told(each))]
    return {
        "kind": plan.kind,
        "thing": _thing(news, code, told),
        "order": one_line(plan.order),
        "us": one_line(card.display_name),
        "phone": one_line(card.phone or ""),
        "email": one_line(card.email or ""),
        "day": day,
        "when": when,
        "next_news": when(plan.next_news_by) if plan.next_news_by else None,
        "status": news.status,
        "place": news.place,
        "heading_to_us": news.heading_to_us,
        "ending": news.ending,
        "decided_to_repair": news.decided_to_repair,
        "price": speech.money(quote.amount, quote.currency) if quote else None,
        "price_holds": speech.deadline(held, plan.now) if held and held > plan.now else None,
        "price_held": speech.deadline(held, plan.now) if held and held <= plan.now else None,
        "price_for": told(quote.description) if quote else None,
        "options": news.options,
        "part_gone": part_is_gone(news.why),
        "why": told(news.why),
        "summary": told(news.summary),
        "reason": told(news.reason),
        "outcome": news.outcome,
        "final": news.final,
        "comes_home": news.comes_home,
        "never_left": news.never_left,
        "asked": news.asked,
        "here": _is_here(news),
        "waits": news.asked and not (news.ending or quote or news.due or news.status == "returned"),
        "paused": news.paused,
        "questions": questions,
        "answer_by": when(news.answer_by) if news.answer_by else None,
        "taken_back": [{"kind": each.kind, "day": day(each.at), "place": each.place} for each in news.taken_back],
        "since": [step(each) for each in news.since],
        "silent": news.silent,
        "last_known": day(news.last_fact_at) if news.last_fact_at else None,
        "tried": news.tried,
        "delay_over": news.delay_over,
        "expected_missed": day(news.expected_missed) if news.expected_missed else None,
        "expected_by": day(news.expected_by) if news.expected_by else None,
        "handed_on": day(news.handed_at) if news.handed_at else None,
        "due_on": day(news.due) if news.due else None,
        "late": news.late,
        "closed_now": news.closed_from is not None and news.closed_from <= plan.now,
        "closed_from": day(news.closed_from) if news.closed_from else None,
        "open_again": day(closing_of_working_day(Clock.of(DEFAULT), news.closed_until)) if news.closed_until else None,
    }


def _is_here(news: News) -> bool:
    """Whether it lies ready for her."""
    return (
        news.ending is not None
        and not news.never_left
        and news.place == "us"
        and not news.heading_to_us
        and news.status != "in_transit"
    )


def _thing(news: News, code: str, told: Any) -> str:
    """What it is called after "your": brand and model as given, or else its description."""
    name = " ".join(one_line(part) for part in (news.brand, news.model) if part and holds_no_address(part))
    if not name or (news.brand and not news.model and news.description):
        name = " ".join(part for part in (name, told(news.description)) if part)
    name = name or _THING[code]
    if len(name) > _LONGEST_NAME:
        name = name[:_LONGEST_NAME].rsplit(" ", 1)[0] + "…"
    item = told(news.item)
    return f"{name} ({item})" if item and len(item) <= _LONGEST_NAME else name


def _laid_out(text: str) -> str:
    """Paragraphs on one line each, with one empty line between them."""
    paragraphs = []
    for block in re.split(r"\n[ \t]*\n", text):
        joined = re.sub(r"[ \t]*\n[ \t]*(?!- )", " ", block.strip())
        joined = re.sub(r"[ \t]*⏎[ \t]*", "\n", re.sub(r"[ \t]{2,}", " ", joined))
        if joined:
            paragraphs.append(joined)
    return "\n\n".join(paragraphs) + "\n"
