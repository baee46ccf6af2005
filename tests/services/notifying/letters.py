"""Plans of messages, made by hand, and what no letter may lack or hold."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final, get_args

from events.chain import MessageKind
from services.notifying.dates import SPEECH
from services.notifying.phrases import PHRASES, says_sorry_first
from services.notifying.records import (
    Answer,
    Cover,
    Decision,
    MessagePlan,
    News,
    Promised,
    Question,
    Quote,
    Visit,
    Wrong,
    usual_promise,
)
from services.notifying.wording import Wording
from services.parties import PartyCard
from tests.services.notifying.chain import IMPORTER, ORDER, REPAIRER, SHOP

NOW: Final = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday
DAY: Final = timedelta(days=1)
PROMISED: Final = usual_promise(NOW)
CARDS: Final = {
    SHOP: PartyCard(display_name="Juno Watches", phone="020 555 01 01", email="service@juno.example", person="Sanne"),
    IMPORTER: PartyCard(display_name="Noordzee Trading"),
    REPAIRER: PartyCard(display_name="Atelier Tick"),
}
THING: Final = "Halden Meridian 36"
NEWS: Final = News(status="in_transit", brand="Halden", model="Meridian 36")
QUOTE: Final = Quote("q1", Decimal("1185"), "EUR", datetime(2026, 12, 11, 23, 0, tzinfo=UTC), "new crown and stem")
ANSWER: Final = Answer("A strap of 20 mm fits", "Which strap fits?")
PROMISE: Final = Promised(by=NOW + 7 * DAY, kind="repair", what="new crown fitted")
VISIT: Final = Visit(begin=NOW + 2 * DAY, end=NOW + 2 * DAY + timedelta(hours=3), what="replace the fan")
COVER: Final = Cover("not_covered", cause="limescale", appeal="tell us within four weeks why you see it otherwise")

KINDS: Final = get_args(MessageKind)
LANGUAGES: Final = sorted(SPEECH)
#: Kinds of commitments that can be late.
LATE: Final = (
    "receive",
    "forward",
    "diagnose",
    "decide",
    "cover",
    "part",
    "repair",
    "return",
    "answer",
    "visit",
    "check",
    "promise",
    "update",
)

#: How a message ends after which no other is due.
LAST_WORD: Final = {"en": "This is our last message about it", "nl": "Dit is ons laatste bericht hierover"}

# Both are searched for in what is in small letters already: that takes a quarter of the time of not minding the case.
_NO_DATE: Final = re.compile(
    r"as soon as (possible|we can)|\basap\b|\bshortly\b|in due course|\bsoon\b|at (our|your) earliest|before long|"
    r"in the near future|as quickly as|without delay|a few (days|weeks)|some time\b|"
    r"zo (snel|spoedig|gauw) mogelijk|\bz\.?s\.?m\b|binnenkort|\bspoedig|\bweldra|te zijner tijd|\bt\.?z\.?t\b|"
    r"\b(een paar|enkele) (dagen|weken)|op korte termijn|\bgauw\b|\bbinnen afzienbare"
)
_LINKS: Final = re.compile(r"importer|importeur|repairer|reparateur|retailer|noord|tick|atelier|trading")
_UNFILLED: Final = re.compile(
    r"\bNone\b|undefined|[{}]|  |\n\n\n| \n|\n |[ \n][.,;:!?](?!\.)|[.,;:]{2}|“”|“ | ”|⏎|✂|[a-z]\.[A-Z]|\(\)"
)


def planned(kind: MessageKind, news: News = NEWS) -> MessagePlan:
    """The plan of a message of ``kind``, with what such a message cannot be without."""
    if kind == "quote":
        news = replace(news, quote=news.quote or QUOTE)
    if kind == "closed":
        news = replace(news, final=True, outcome=news.outcome or "repaired")
    if kind == "corrected" and not news.taken_back:
        news = replace(news, taken_back=(Wrong("repaired", NOW - DAY),))
    if kind == "overdue" and news.due is None:
        news = replace(news, handed_at=NOW - 5 * DAY, due=NOW - 3 * DAY)
    if kind == "check":
        news = replace(news, final=True)
    if kind == "ready" and news.ending is None:
        news = replace(news, ending="repaired", place="us")
    if kind == "promise":
        news = replace(news, promised=news.promised or PROMISE)
    if kind == "visit":
        news = replace(news, visit=news.visit or VISIT)
    if kind == "cover":
        news = replace(news, cover=news.cover or COVER)
    if kind == "asked":
        news = replace(news, answer_owed=True, question=news.question or Question("Which strap fits?", NOW + DAY))
    if kind == "gesture":
        news = replace(news, gesture=news.gesture or "a new strap")
    if kind == "decision":
        news = replace(news, decision=news.decision or Decision(yes=True, quote=QUOTE))
    return MessagePlan(
        message="msg-1",
        order=ORDER,
        kind=kind,
        trigger_source=SHOP,
        trigger_id="e1",
        accountable=SHOP,
        opener=SHOP,
        customer="C-77",
        now=NOW,
        next_news_by=None if news.final else PROMISED,
        news=news,
        parties=frozenset(CARDS),
    )


def is_a_delay(plan: MessagePlan) -> bool:
    """Whether the letter tells that something comes later than she was to expect."""
    news = plan.news
    moved = bool(news.promised and news.promised.before and news.promised.by > news.promised.before)
    hers = news.quote or news.ending or news.asked or news.status == "returned"
    silence = not hers and bool(news.expected_missed or (news.silent and not news.since))
    return (
        plan.kind == "overdue"
        or (plan.kind == "answer" and bool(news.answer and news.answer.due))
        or (plan.kind == "person" and not hers)
        or news.uncalled
        or (plan.kind == "promise" and moved)
        or (plan.kind == "visit" and bool(news.visit and news.visit.before not in (None, news.visit.begin)))
        or (plan.kind == "update" and (news.due is not None or silence))
    )


def is_on_its_way_home(plan: MessagePlan) -> bool:
    """Whether the letter tells of an end after which it comes back to us, to be hers again."""
    news = plan.news
    return plan.kind == "closed" and news.comes_home and news.outcome not in ("refunded", "replaced")


@cache
def wrong_words(text: str) -> tuple[str, ...]:
    """What must not be found in any letter; of different news many letters say the same."""
    searched = (("no date", _NO_DATE, text.lower()), ("a link of the chain", _LINKS, text.lower()))
    found = [(what, pattern.search(words)) for what, pattern, words in (*searched, ("unfilled", _UNFILLED, text))]
    return tuple(f"{what}: {match.group()!r}" for what, match in found if match)


def problems(
    wording: Wording, plan: MessagePlan, *, order: str = ORDER, thing: str = "Halden Meridian 36"
) -> list[str]:
    """All that is wrong with a letter of Juno's, with its text; nothing if it may leave."""
    language, speech, body = wording.language, SPEECH[wording.language], wording.body
    text = f"{wording.subject}\n{body}"
    found = []

    def expect(holds: object, what: str) -> None:
        if not holds:
            found.append(f"{what}\n{text}")

    for what in wrong_words(text):
        expect(False, what)
    if plan.next_news_by is not None:
        expect(speech.when(plan.next_news_by, NOW) in body, "no date of the next news")
    elif plan.news.answer_owed and plan.kind != "answer":
        due = plan.news.question.due if plan.news.question else plan.news.answer_owed_by
        expect(due is None or speech.day(due, NOW) in body, "no date of the answer")
    elif is_on_its_way_home(plan):
        due = plan.news.sent_home_by
        expect(due is None or speech.day(due, NOW) in body, "no date of its way home")
    elif plan.news.late != "answer":
        last = speech.day(plan.news.check_at, NOW) if plan.news.check_at else LAST_WORD[language]
        expect(last in body, "neither a date nor the last word")
    expect(PHRASES[language].next_news.search(body), "nothing by which the next news is known")
    expect(body.rstrip().endswith("\nJuno Watches"), "not our name below it")
    expect("020 555 01 01" in body and "service@juno.example" in body, "no way to reach us")
    expect(("Ask for Sanne." if language == "en" else "Vraag naar Sanne.") in body, "nobody to ask for")
    expect(order in body, "no number of the order")
    expect(thing in wording.subject and thing in body, "not what it is about")
    expect("\n" not in wording.subject and len(wording.subject) < 80 + len(thing), "no good subject")
    expect(body.startswith(wording.story.rstrip()), "the story is not where the body begins")
    expect(not PHRASES[language].next_news.search(wording.story), "the story holds the date of the next news")
    if is_a_delay(plan):
        expect(says_sorry_first(body, language), "a delay, and not sorry first")
    paragraphs = body.strip().split("\n\n")
    expect(all(re.match(r"[A-Z“]", paragraph) for paragraph in paragraphs), "a paragraph begins in the middle")
    expect(all(each.rstrip()[-1] in ".?!:”" or "\n" in each for each in paragraphs), "a paragraph does not end")
    expect(len(paragraphs) == len(set(paragraphs)), "something is said twice")
    return found
