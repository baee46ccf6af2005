"""Every kind of message, in every language, of whatever is known: none lacks a date, an apology or a way to us.

Of the many combinations the suite composes a sample, the same each time, and ``make heavy`` all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import get_args

import pytest

from events.chain import MessageKind
from events.order import Outcome
from services.notifying.records import Answer, Cover, Ending, MessagePlan, News, Promised, Quote, Step, Visit, Wrong
from services.notifying.since import TEXTS
from services.notifying.wording import compose
from tests.sampling import some
from tests.services.notifying.letters import (
    CARDS,
    COVER,
    DAY,
    KINDS,
    LANGUAGES,
    LATE,
    NEWS,
    NOW,
    PROMISE,
    QUOTE,
    VISIT,
    planned,
    problems,
)

STATUSES = [
    "taken_in",
    "in_transit",
    "received",
    "diagnosed",
    "waiting_for_approval",
    "approved",
    "quote_declined",
    "waiting_for_part",
    "part_arrived",
    "in_repair",
    "repaired",
    "replaced",
    "repair_failed",
    "waiting_for_customer",
    "waiting",
    "ready",
    "answered",
    "returned",
    "reopened",
]
ENDINGS: tuple[Ending | None, ...] = (None, "repaired", "replaced", "failed", "declined")
PLACES = ("us", "service_centre", "workshop", "elsewhere")
#: Partners' texts: short, odd, too long, one that names another link, one that sends her away, one that is a question.
TEXTS_OF_PARTNERS = (
    None,
    "crown and stem are broken",
    "  it   stopped…  \n\n- twice ✂ ⏎ <b>",
    "x" * 2_500,
    "Atelier Tick lost the part",
    "call 020 555 0199 or bench@noordzee.example",
    "Was it dropped?",
    "ask the importer.",
)
#: What may have happened since she last heard from us.
STEPS = tuple(
    Step(name, NOW - DAY, word=word, text=text, item=item)
    for text, item in ((None, None), ("crown and stem are broken", "lamp 3"), ("Tick did it", "Noordzee's lamp"))
    for name, word in [
        ("item.handed_over", "us"),
        ("item.handed_over", None),
        ("item.received", "workshop"),
        ("work.paused", "part"),
        ("work.paused", "customer"),
        ("work.paused", "other"),
        ("cover.decided", "covered"),
        ("cover.decided", "not_covered"),
        ("cover.decided", "goodwill"),
        *((name, None) for name in sorted(TEXTS) if name not in ("item.handed_over", "item.received", "work.paused")),
    ]
)


@cache
def every_news() -> list[News]:
    """What can be known, in combination; of how much is known of each, the combinations take turns."""
    found = []
    for turn, (status, ending, place) in enumerate(itertools.product(STATUSES, ENDINGS, PLACES)):
        bare = replace(NEWS, status=status, ending=ending, place=place)  # type: ignore[arg-type]
        full = replace(
            bare,
            options=("repair", "refund", "exchange", "return_as_is"),
            why="the crown is beyond repair",
            summary="crown and stem replaced",
            expected_by=NOW + 3 * DAY,
            heading_to_us=True,
            decided_to_repair=True,
            closed_from=NOW + DAY * (1 if place == "us" else -1),
            closed_until=NOW + 9 * DAY,
            named_before=NOW + turn % 3 * 5 * DAY,
            answer_owed=True,
            answer_owed_by=NOW + DAY if turn % 2 else None,
            cover_owed=turn % 2 == 0,
        )
        late = replace(
            bare,
            expected_missed=NOW - DAY,
            silent=2,
            last_fact_at=NOW - 20 * DAY,
            delay_over=True,
            tried=True,
            handed_at=NOW - 5 * DAY,
            due=NOW - 3 * DAY,
            taken_back=(Wrong("received", NOW - 2 * DAY, "workshop"),),
            named_before=NOW + 2 * DAY,
        )
        naming = replace(full, why="Atelier Tick lost the part", summary="done by Noordzee", never_left=True)
        missed = replace(late, due=None, handed_at=None, silent=turn % 3, taken_back=())
        found.append((bare, full, late, naming, missed)[(turn + turn // 4) % 5])
    return found + _rare()


def _rare() -> list[News]:
    return [*_asked(), *_told()]


def _asked() -> Iterator[News]:
    asked = replace(NEWS, status="waiting_for_customer", asked=True)
    for questions in ((), ("Which strap would you like?",), ("Which strap?", "Which buckle?"), ("Ask Noordzee",)):
        for price in (None, QUOTE, replace(QUOTE, valid_until=NOW - DAY)):
            for paused in (False, True):
                yield replace(asked, questions=questions, quote=price, paused=paused, answer_by=NOW + 2 * DAY)


def _told() -> Iterator[News]:
    for status in STATUSES:
        yield replace(NEWS, since=STEPS, status=status, last_fact_at=NOW)
    for outcome in get_args(Outcome):
        yield replace(NEWS, final=True, outcome=outcome, reason="it stopped again")
        yield replace(NEWS, final=True, outcome=outcome, ending="repaired", never_left=True)
        yield replace(NEWS, final=True, outcome=outcome, never_left=True, check_at=NOW + 2 * DAY)
        yield replace(NEWS, final=True, outcome=outcome, comes_home=True, sent_home_by=NOW + 3 * DAY)
    yield replace(NEWS, taken_back=tuple(Wrong(kind, NOW - 2 * DAY) for kind in KINDS))
    yield replace(NEWS, silent=3, last_fact_at=NOW - 9 * DAY)
    yield replace(NEWS, other_numbers=("W-2", "W-3"))
    for silent in range(3):
        yield replace(NEWS, status="taken_in", never_left=True, visit_missed=NOW - DAY, silent=silent, last_fact_at=NOW)


def _checked(plan: MessagePlan, language: str, **named: str) -> None:
    wording = compose(plan, CARDS, language, urgent=len(plan.news.status) % 2 == 0)
    assert wording.language == language
    assert not (found := problems(wording, plan, **named)), "\n\n".join(found)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_message_that_there_can_be(kind: MessageKind, language: str) -> None:
    may_end = (
        "closed",
        "corrected",
        "ready",
        "check",
        "update",
        "answer",
        "promise",
        "visit",
        "cover",
        "asked",
        "gesture",
    )
    whole = kind in ("update", "corrected")  # these tell how it stands; of what the others look at, some will do
    for news in [*some(every_news(), 12 if whole else 30), *some(_rare(), 2 if whole else 8)]:
        if news.final and kind not in may_end:
            continue  # nothing else is told once no news is to come
        _checked(planned(kind, news), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("late", LATE)
def test_every_delay(late: str, language: str) -> None:
    flags = (False, True)
    for ending, never_left, home, final in some(list(itertools.product(ENDINGS, flags, flags, flags)), 4):
        news = replace(NEWS, late=late, ending=ending, never_left=never_left, heading_to_us=home, final=final)
        closed = replace(news, closed_from=NOW - DAY, closed_until=NOW + 3 * DAY)
        for each in (news, replace(closed, taken_back=(Wrong("repaired", NOW - DAY),))):
            due = NOW - (timedelta(hours=1) if home else 3 * DAY)
            _checked(planned("overdue", replace(each, handed_at=NOW - 5 * DAY, due=due)), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", TEXTS_OF_PARTNERS)
def test_whatever_partners_write(text: str | None, language: str) -> None:
    asked = (text,) if text else ()
    news = replace(NEWS, why=text, summary=text, reason=text, questions=asked, asked=bool(asked))
    for kind, ending in some(list(itertools.product(KINDS, ENDINGS)), 10):
        _checked(planned(kind, replace(news, ending=ending, quote=replace(QUOTE, description=text))), language)
    for each in some(list(_of_their_own(text)), 10):
        _checked(each, language)


def _of_their_own(text: str | None) -> Iterator[MessagePlan]:
    """Answers, promises, visits and decisions, with ``text`` wherever a partner writes one."""
    for question, final in itertools.product((None, text, "Which strap fits?"), (False, True)):
        answer = Answer(text, question) if text else None
        yield planned("answer", replace(NEWS, answer=answer, final=final))
    steps = (None, "forward", "diagnose", "repair", "return", "cover")
    befores = (None, NOW + DAY, PROMISE.by, NOW + 20 * DAY)
    for kind, before, ending, home in itertools.product(steps, befores, (None, "repaired"), (False, True)):
        promised = Promised(PROMISE.by, before, kind, text, text if before else None)
        yield planned("promise", replace(NEWS, promised=promised, ending=ending, never_left=home))  # type: ignore[arg-type]
    for window, before in itertools.product((timedelta(hours=3), 2 * DAY), (None, NOW + DAY)):
        yield planned("visit", replace(NEWS, visit=Visit(VISIT.begin, VISIT.begin + window, text, before)))
    for decision, appeal, price in itertools.product(
        ("covered", "not_covered", "goodwill"), (None, text, COVER.appeal), (None, QUOTE)
    ):
        yield planned("cover", replace(NEWS, cover=Cover(decision, text, appeal), quote=price))


@pytest.mark.parametrize("language", LANGUAGES)
def test_things_of_any_name_and_orders_of_any_number(language: str) -> None:
    things = (
        (replace(NEWS, brand="Long " * 40, model=None), "Long Long Long Long Long Long Long Long Long Long Long Long…"),
        (replace(NEWS, brand="O'Hara & Söhne <b>", model="№ 7"), "O'Hara & Söhne <b> № 7"),
        (replace(NEWS, brand=None, model=None, description="garden lamp"), "garden lamp"),
        (replace(NEWS, item="lamp 3"), "Halden Meridian 36 (lamp 3)"),
        (replace(NEWS, item="Noordzee's lamp"), "Halden Meridian 36"),
    )
    for (news, thing), order, kind in some(list(itertools.product(things, ("A/2026 #7", "0" * 120), KINDS)), 4):
        plan = replace(planned(kind, news), order=order)
        _checked(plan, language, thing=thing, order=order)


def test_the_test_can_fail() -> None:
    plan = planned("overdue")
    good = compose(plan, CARDS, "en")
    assert problems(good, plan) == []
    for wrong in (
        replace(good, body=good.body.replace("We are sorry", "Alas")),
        replace(good, body=good.body.replace("W-1001", "")),
        replace(good, body=good.body.replace("Ask for Sanne.", "")),
        replace(good, body=good.body.replace("by Monday 30 November at 17:00", "soon")),
        replace(good, subject="Noordzee has your Halden Meridian 36"),
        replace(good, body=good.body.replace("there is a delay", "there is  None")),
    ):
        assert problems(wrong, plan)


def test_quotes_without_an_end_have_no_deadline() -> None:
    plan = planned("quote", replace(NEWS, quote=Quote("q1", QUOTE.amount, "EUR")))
    assert "holds" not in compose(plan, CARDS, "en").body
