"""Examples of every message, as a shop's own people can read them before a customer does. All names are invented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from events.chain import MessageKind
from services.notifying.records import (
    Answer,
    Cover,
    Decision,
    MessagePlan,
    News,
    Other,
    Promised,
    Question,
    Quote,
    Step,
    Visit,
    Wrong,
    usual_promise,
)
from services.parties import PartyCard

_SHOP: Final = "retailer:bridge-street"
_OTHERS: Final = frozenset({"importer:lowlands-watch-import", "repairer:fine-movements"})
CARDS: Final = {
    _SHOP: PartyCard(
        display_name="Bridge Street Jewellers",
        phone="555-0101",
        email="shop@bridge-street.example",
        person="Sanne",
    )
}
CUSTOMER: Final = "Ms Jansen"

#: A Monday morning.
NOW: Final = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_MIDNIGHT: Final = NOW.replace(hour=0)


@dataclass(frozen=True)
class Specimen:
    """One message: its plan, and in a few words what is the case."""

    kind: MessageKind
    case: str
    plan: MessagePlan = field(repr=False)


_WATCH: Final = News(status="taken_in", brand="Meridian", model="Diver 200")
_WORKSHOP: Final = replace(_WATCH, status="received", place="workshop")
_REPAIRED: Final = replace(_WATCH, status="repaired", ending="repaired", place="workshop", decided_to_repair=True)
_TAP: Final = News(status="taken_in", brand="Kettlebrook", model="Steam 3", never_left=True)
_QUOTE: Final = Quote("q1", Decimal("145.00"), "EUR", _MIDNIGHT + 19 * _DAY, "new crown and stem, tested to 200 m")
_LATE: Final = replace(_WATCH, status="in_transit", handed_at=NOW - 6 * _DAY, due=NOW - 3 * _DAY)
_CHOICE: Final = replace(
    _WATCH,
    ending="failed",
    place="workshop",
    why="the part cannot be had",
    options=("refund", "exchange", "return_as_is"),
)
_STEPS: Final = (
    Step("item.received", NOW - 4 * _DAY, word="workshop"),
    Step("diagnosis.made", NOW - 3 * _DAY, text="crown and stem are worn"),
    Step("part.ordered", NOW - 3 * _DAY),
)


#: What partners write, as they would write it to a customer who reads Dutch.
_DUTCH: Final = {
    "new crown and stem, tested to 200 m": "nieuwe kroon en opwindas, getest tot 200 m",
    "the part cannot be had": "het onderdeel is niet meer leverbaar",
    "crown and stem are worn": "kroon en opwindas zijn versleten",
    "Would you like the old crown back?": "Wilt u de oude kroon terug?",
    "Is there a spare link?": "Is er een losse schakel?",
    "Which strap is it?": "Welke band is het?",
    "new valve, descaled": "nieuwe klep, ontkalkt",
    "it stopped again after two days": "na twee dagen stond hij weer stil",
    "Yes, to 200 m": "Ja, tot 200 m",
    "Is it waterproof again?": "Is hij weer waterdicht?",
    "Fine Movements keeps the old parts": "Fine Movements houdt de oude onderdelen",
    "May I have the old crown back?": "Mag ik de oude kroon terug?",
    "a new strap of your choice": "een nieuwe band naar keuze",
    "the test to 200 m": "de test tot 200 m",
    "the crown came in the wrong size": "de kroon kwam in de verkeerde maat",
    "replace the valve": "de klep vervangen",
    "send us a photo of the inside within four weeks": "stuur ons binnen vier weken een foto van de binnenkant",
    "a fault of production": "een productiefout",
    "limescale in the boiler": "kalk in de boiler",
    "one week after the guarantee ended": "een week na het einde van de garantie",
}


def specimens(language: str = "en") -> tuple[Specimen, ...]:
    """All examples, kind by kind, with the texts of partners in Dutch where that is the ``language``."""
    words = _DUTCH if language == "nl" else {}
    return tuple(replace(each, plan=replace(each.plan, news=_in_words(each.plan.news, words))) for each in _all())


def _in_words(value: Any, words: Mapping[str, str]) -> Any:
    """``value`` with each text in it that ``words`` knows put as they have it."""
    if isinstance(value, str):
        return words.get(value, value)
    if isinstance(value, tuple):
        return tuple(_in_words(each, words) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _in_words(getattr(value, each.name), words) for each in fields(value)})
    return value


def _of(kind: MessageKind, case: str, news: News, *, order: str = "W-1001") -> Specimen:
    closures = [(news.closed_from, news.closed_until)] if news.closed_from and news.closed_until else []
    soon = news.late == "visit" or news.visit_missed is not None
    next_news_by = _MIDNIGHT + _DAY + 17 * _HOUR if soon else usual_promise(NOW, closures)
    plan = MessagePlan(
        message=f"specimen-{kind}",
        order=order,
        kind=kind,
        trigger_source=_SHOP,
        trigger_id="specimen",
        accountable=_SHOP,
        opener=_SHOP,
        customer="C-77",
        now=NOW,
        next_news_by=None if news.final else next_news_by,
        news=news,
        parties=frozenset({_SHOP}) | _OTHERS,
    )
    return Specimen(kind, case, plan)


def _all() -> Iterator[Specimen]:
    yield from _of_the_way()
    yield from _of_the_end()
    yield from _of_delays()
    yield from _of_news()


def _of_the_way() -> Iterator[Specimen]:
    closed = replace(_WATCH, closed_from=_MIDNIGHT + 4 * _DAY, closed_until=_MIDNIGHT + 21 * _DAY)
    yield _of("opened", "taken in at the shop", _WATCH)
    yield _of("opened", "the shop closes for its holiday", closed)
    yield _of("opened", "at her home", _TAP, order="T-4001")
    yield _of("received", "at the workshop", _WORKSHOP)
    yield _of("received", "a delay is over", replace(_WORKSHOP, place="service_centre", delay_over=True))
    yield _of("received", "on its way home", replace(_REPAIRED, status="in_transit", place="service_centre"))
    yield _of("quote", "with a date", replace(_WORKSHOP, quote=_QUOTE))
    yield _of("quote", "after its date", replace(_WORKSHOP, quote=replace(_QUOTE, valid_until=NOW - _DAY)))
    for amount, case in (("120.00", "more than she was told"), ("180.00", "less than she was told")):
        before = replace(_QUOTE, amount=Decimal(amount))
        yield _of("quote", case, replace(_WORKSHOP, quote=_QUOTE, quote_before=before))
    asked = replace(_WORKSHOP, status="waiting_for_customer", asked=True, answer_by=NOW + 3 * _DAY)
    yield _of("question", "one question", replace(asked, questions=("Would you like the old crown back?",)))
    yield _of("question", "two questions", replace(asked, questions=("Is there a spare link?", "Which strap is it?")))
    yield _of("question", "one that we may not pass on", asked)


def _of_the_end() -> Iterator[Specimen]:
    summary = "new crown and stem, tested to 200 m"
    yield _of("repaired", "at the workshop", replace(_REPAIRED, summary=summary))
    yield _of(
        "repaired", "at her home", replace(_TAP, ending="repaired", summary="new valve, descaled"), order="T-4001"
    )
    yield _of("failed", "with a choice", _CHOICE)
    yield _of("ready", "repaired", replace(_REPAIRED, place="us", summary=summary))
    yield _of("ready", "could not be repaired", replace(_CHOICE, place="us"))
    yield _of("ready", "could not be repaired, and she has chosen", replace(_CHOICE, place="us", chosen=True))
    yield _of("closed", "repaired", replace(_REPAIRED, place="us", outcome="repaired", final=True))
    asked = replace(_TAP, ending="repaired", outcome="repaired", final=True, check_at=NOW + _DAY)
    yield _of("closed", "repaired at her home, and to be asked", asked, order="T-4001")
    done = replace(asked, summary="new valve, descaled")
    yield _of("closed", "right behind the repair", done, order="T-4001")
    yield _of("closed", "refunded", replace(_CHOICE, outcome="refunded", final=True))
    yield _of("reopened", "she said no", replace(_WATCH, reason="it stopped again after two days"))
    yield _of("reopened", "she had not read that it was closed", replace(_WATCH, closed_untold=True))
    lamps = (Other("lamp 1", "repaired"), Other("lamp 3"), Other("lamp 4"))
    yield _of("repaired", "one of several things", replace(_REPAIRED, item="lamp 2", summary=summary, others=lamps))
    back = replace(_REPAIRED, place="us", status="returned", final=True)
    yield _of("check", "a working day after", back)
    yield _of("check", "it came back unrepaired", replace(back, ending="declined"))


def _of_delays() -> Iterator[Specimen]:
    yield _of("overdue", "receive: not arrived", replace(_LATE, late="receive"))
    delivered = replace(_LATE, delivered_at=NOW - 4 * _DAY)
    yield _of("overdue", "receive: delivered, says the carrier", replace(delivered, late="receive"))
    for late, case in (
        ("forward", "not sent on"),
        ("diagnose", "not examined"),
        ("decide", "not decided"),
        ("cover", "no decision on the guarantee"),
        ("part", "no part"),
        ("repair", "not repaired"),
        ("return", "not given back"),
        ("promise", "a date has passed"),
        ("check", "not asked"),
        ("update", "not told"),
    ):
        yield _of("overdue", f"{late}: {case}", replace(_LATE, status="received", place="workshop", late=late))
    home = replace(_TAP, due=NOW - 2 * _HOUR)
    yield _of("overdue", "answer: not answered", replace(home, late="answer"), order="T-4001")
    yield _of(
        "overdue",
        "answer: not all is well, and no answer",
        replace(home, late="answer", complained=True),
        order="T-4001",
    )
    yield _of("overdue", "forward: no visit planned", replace(home, late="forward"), order="T-4001")
    yield _of("overdue", "visit: nobody came", replace(home, late="visit"), order="T-4001")
    yield _of("update", "a visit was missed", replace(_TAP, visit_missed=NOW - _DAY), order="T-4001")
    yield _of("update", "something has happened", replace(_WORKSHOP, status="waiting_for_part", since=_STEPS))
    yield _of("update", "nothing has happened", replace(_WORKSHOP, last_fact_at=NOW - 5 * _DAY))
    again = replace(_WORKSHOP, silent=2, last_fact_at=NOW - 15 * _DAY, chased=3, chased_at=NOW - 2 * _DAY)
    yield _of("update", "nothing again, and again", again)
    yield _of("update", "nobody was in touch", replace(again, silent=4, uncalled=True))
    yield _of("person", "nothing, too often", replace(again, silent=3))
    yield _of("person", "she does not choose", replace(_CHOICE, silent=3))
    yield _of("update", "the delay goes on", _LATE)
    yield _of("update", "the delay goes on, delivered, says the carrier", delivered)
    missed = replace(_WORKSHOP, status="in_repair", expected_missed=NOW - 3 * _DAY, since=_STEPS[:2])
    yield _of("update", "a date has passed", missed)
    yield _of("update", "she has not decided", replace(_WORKSHOP, quote=_QUOTE))
    yield _of("update", "she has not decided, once more", replace(_WORKSHOP, quote=_QUOTE, silent=1))
    yield _of("update", "she has not chosen", _CHOICE)
    yield _of("update", "she has not chosen, once more", replace(_CHOICE, silent=1))
    yield _of("update", "she has chosen", replace(_CHOICE, chosen=True))
    mended = replace(_TAP, status="repaired", ending="repaired")
    yield _of("update", "mended at her home, and not closed", mended, order="T-4001")
    yield _of("update", "mended at her home, and not closed, once more", replace(mended, silent=1), order="T-4001")
    yield _of("update", "it waits for her", replace(_REPAIRED, status="ready", place="us"))


def _of_news() -> Iterator[Specimen]:
    wrong = (Wrong("repaired", NOW - _DAY),)
    yield _of("corrected", "it was not repaired", replace(_WORKSHOP, status="in_repair", taken_back=wrong))
    yield _of("corrected", "it was entered twice", replace(_WATCH, other_numbers=("W-1002",)))
    yield _of(
        "answer", "with the answer", replace(_WORKSHOP, answer=Answer("Yes, to 200 m", "Is it waterproof again?"))
    )
    late = Answer("Yes, to 200 m", "Is it waterproof again?", NOW - _DAY)
    yield _of("answer", "late", replace(_WORKSHOP, answer=late))
    withheld = Answer("Fine Movements keeps the old parts", "May I have the old crown back?")
    yield _of("answer", "one that we explain", replace(_WORKSHOP, answer=withheld))
    asked = replace(_WORKSHOP, answer_owed=True, question=Question("Is it waterproof again?", NOW + 2 * _DAY))
    yield _of("asked", "her question has come", asked)
    yield _of("gesture", "something is offered", replace(_WATCH, gesture="a new strap of your choice"))
    promised = Promised(NOW + 8 * _DAY, kind="repair", what="the repair")
    yield _of("promise", "a date for the repair", replace(_WORKSHOP, promised=promised))
    yield _of(
        "promise", "another step", replace(_WORKSHOP, promised=Promised(NOW + 8 * _DAY, what="the test to 200 m"))
    )
    moved = replace(promised, before=NOW + _DAY, reason="the crown came in the wrong size")
    yield _of("promise", "moved", replace(_WORKSHOP, promised=moved))
    yield _of("promise", "moved again", replace(_WORKSHOP, promised=replace(moved, first=NOW - 6 * _DAY)))
    yield _of("promise", "sooner", replace(_WORKSHOP, promised=replace(promised, before=NOW + 11 * _DAY)))
    visit = Visit(NOW + 2 * _DAY - _HOUR, NOW + 2 * _DAY + 2 * _HOUR, what="replace the valve")
    yield _of("visit", "planned", replace(_TAP, visit=visit), order="T-4001")
    yield _of("visit", "moved", replace(_TAP, visit=replace(visit, before=NOW + _DAY)), order="T-4001")
    appeal = "send us a photo of the inside within four weeks"
    yield _of("decision", "yes", replace(_WORKSHOP, decided_to_repair=True, decision=Decision(yes=True, quote=_QUOTE)))
    yield _of("decision", "no", replace(_WORKSHOP, ending="declined", decision=Decision(yes=False, quote=_QUOTE)))
    for decision, cause, way in (
        ("covered", "a fault of production", None),
        ("not_covered", "limescale in the boiler", appeal),
        ("goodwill", "one week after the guarantee ended", None),
    ):
        yield _of("cover", decision.replace("_", " "), replace(_TAP, cover=Cover(decision, cause, way)), order="T-4001")
