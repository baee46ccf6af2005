"""Every message in every language: kind, concrete, dated, in one voice, and not a word about the chain behind it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import get_args

import pytest

from events.chain import MessageKind
from events.order import Outcome
from services.notifying.dates import DUTCH, ENGLISH, SPEECH, spoken
from services.notifying.discretion import one_line, part_is_gone, passed_on
from services.notifying.records import Ending, MessagePlan, News, Quote, Step, Wrong, usual_promise
from services.notifying.since import TEXTS
from services.notifying.wording import Wording, compose, salutation
from services.parties import PartyCard
from tests.services.notifying.chain import IMPORTER, ORDER, REPAIRER, SHOP

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday
PROMISED = usual_promise(NOW)
CARDS = {
    SHOP: PartyCard(display_name="Juno Watches", phone="020 555 01 01", email="service@juno.example"),
    IMPORTER: PartyCard(display_name="Noordzee Trading"),
    REPAIRER: PartyCard(display_name="Atelier Tick"),
}
QUOTE = Quote("q1", Decimal("1185"), "EUR", datetime(2026, 12, 11, 23, 0, tzinfo=UTC), "new crown and stem")
NEWS = News(status="in_transit", brand="Halden", model="Meridian 36")
#: What may have happened since she last heard from us.
STEPS = tuple(
    Step(name, NOW - timedelta(days=1), word=word, text=text)
    for text in (None, "crown and stem are broken")
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
    "repair_failed",
    "waiting_for_customer",
    "waiting",
    "ready",
    "answered",
    "returned",
    "reopened",
]
ENDINGS = (None, "repaired", "replaced", "failed", "declined")
PLACES = ("us", "service_centre", "workshop", "elsewhere")
KINDS = get_args(MessageKind)
LANGUAGES = sorted(SPEECH)

FORBIDDEN = re.compile(
    r"as soon as possible|zo (snel|spoedig) mogelijk|a few weeks|een paar weken|enkele weken|\bnone\b|undefined|asap|"
    r"importer|importeur|repairer|reparateur|retailer",
    re.IGNORECASE,
)
#: How a message ends after which no other is due.
LAST_WORD = {"en": "This is our last message about it", "nl": "Dit is ons laatste bericht hierover"}
OTHERS = re.compile(r"noord|tick|atelier|trading", re.IGNORECASE)


def planned(kind: MessageKind, news: News = NEWS) -> MessagePlan:
    if kind == "quote":
        news = replace(news, quote=news.quote or QUOTE)
    if kind == "closed":
        news = replace(news, final=True, outcome=news.outcome or "repaired")
    if kind == "corrected" and not news.taken_back:
        news = replace(news, taken_back=(Wrong("repaired", NOW - timedelta(days=1)),))
    if kind == "overdue" and news.due is None:
        news = replace(news, handed_at=NOW - timedelta(days=5), due=NOW - timedelta(days=3))
    if kind == "check":
        news = replace(news, final=True)
    if kind == "ready" and news.ending is None:
        news = replace(news, ending="repaired", place="us")
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
            expected_by=NOW + timedelta(days=3),
            heading_to_us=True,
            decided_to_repair=True,
            closed_from=NOW + timedelta(days=1 if place == "us" else -1),
            closed_until=NOW + timedelta(days=9),
        )
        late = replace(
            bare,
            expected_missed=NOW - timedelta(days=1),
            silent=2,
            last_fact_at=NOW - timedelta(days=20),
            delay_over=True,
            tried=True,
            handed_at=NOW - timedelta(days=5),
            due=NOW - timedelta(days=3),
            taken_back=(Wrong("received", NOW - timedelta(days=2), "workshop"),),
        )
        naming = replace(full, why="Atelier Tick lost the part", summary="done by Noordzee")
        found.append((bare, full, late, naming)[(turn + turn // 4) % 4])
    asked = replace(NEWS, status="waiting_for_customer", asked=True)
    for questions in ((), ("Which strap would you like?",), ("Which strap?", "Which buckle?"), ("Ask Noordzee",)):
        for price in (None, QUOTE, replace(QUOTE, valid_until=NOW - timedelta(days=1))):
            found += [
                replace(asked, questions=questions, quote=price, paused=paused, answer_by=NOW + timedelta(days=2))
                for paused in (False, True)
            ]
    found += [replace(NEWS, since=STEPS, status=status, last_fact_at=NOW) for status in STATUSES]
    found += [replace(NEWS, final=True, outcome=outcome, reason="it stopped again") for outcome in get_args(Outcome)]
    found += [replace(NEWS, taken_back=tuple(Wrong(kind, NOW - timedelta(days=2)) for kind in KINDS))]
    found += [replace(NEWS, quote=replace(QUOTE, valid_until=NOW - timedelta(days=1)))]
    return found


def check(wording: Wording, language: str, *, final: bool = False) -> None:
    speech = SPEECH[language]
    text = f"{wording.subject}\n{wording.body}"
    assert not FORBIDDEN.search(text), text
    assert not OTHERS.search(text), text
    if final:
        assert LAST_WORD[language] in wording.body, wording.body
    else:
        assert speech.when(PROMISED, NOW) in wording.body, wording.body
    assert "Juno Watches" in wording.body.splitlines()[-1]
    assert "020 555 01 01" in wording.body
    assert "service@juno.example" in wording.body
    assert ORDER in wording.body
    assert "Halden Meridian 36" in wording.subject
    assert "Halden Meridian 36" in wording.body
    assert not re.search(r"  |\n\n\n| \n|\n |\{|\}| [.,;:]|[.,;:]{2}|⏎", text), text
    assert not re.search(r"[a-z]\.[A-Z]", text), text
    assert len(wording.subject) < 100
    paragraphs = wording.body.strip().split("\n\n")
    assert all(re.match(r"[A-Z]", paragraph) for paragraph in paragraphs), text
    assert all(paragraph.rstrip()[-1] in ".?!:”" or "\n" in paragraph for paragraph in paragraphs), text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_message_that_there_can_be(kind: MessageKind, language: str) -> None:
    for news in every_news():
        if news.final and kind not in ("closed", "corrected", "ready", "check"):
            continue  # nothing else is told of a closed order
        plan = planned(kind, news)
        check(compose(plan, CARDS, language), language, final=plan.news.final)


@pytest.mark.parametrize("kind", KINDS)
def test_languages_differ(kind: MessageKind) -> None:
    english, dutch = (compose(planned(kind), CARDS, language) for language in ("en", "nl"))
    assert english.body != dutch.body
    assert english.subject != dutch.subject
    assert (english.language, dutch.language) == ("en", "nl")


@pytest.mark.parametrize(
    ("asked", "ours"), [("nl-BE", "nl"), ("NL", "nl"), ("nl_NL", "nl"), ("en-GB", "en"), ("fr", "en"), (None, "en")]
)
def test_a_language_that_we_do_not_speak_is_english(asked: str | None, ours: str) -> None:
    assert spoken(asked) == ours


# -- the words of one message -----------------------------------------------------------------------------------------


def test_the_announced_closure_is_in_the_message() -> None:
    closed = replace(
        NEWS,
        closed_from=datetime(2026, 11, 29, 23, 0, tzinfo=UTC),
        closed_until=datetime(2026, 12, 11, 23, 0, tzinfo=UTC),  # a Friday night: Monday is the first day open
    )
    body = compose(planned("opened", closed), CARDS, "en").body
    assert "We are closed from Monday 30 November and open again on Monday 14 December" in body


def test_while_we_are_closed_nobody_is_asked_to_call() -> None:
    closed = replace(NEWS, closed_from=NOW - timedelta(days=1), closed_until=datetime(2026, 11, 29, 23, 0, tzinfo=UTC))
    english = compose(planned("overdue", closed), CARDS, "en").body
    assert "We are closed at the moment and open again on Monday 30 November" in english
    assert (
        "You can call 020 555 01 01 from Monday 30 November, and write to service@juno.example at any time." in english
    )
    dutch = compose(planned("overdue", closed), CARDS, "nl").body
    assert "Bellen kan vanaf maandag 30 november, op 020 555 01 01; mailen kan altijd" in dutch


def test_that_the_part_cannot_be_had_is_a_choice_for_her() -> None:
    failed = replace(
        NEWS, ending="failed", why="The part cannot be had.", options=("refund", "exchange", "return_as_is")
    )
    english = compose(planned("failed", failed), CARDS, "en").body
    assert "A part that it needs can no longer be had." in english
    assert "- your money back\n- a replacement\n- your Halden Meridian 36 back, unrepaired" in english
    dutch = compose(planned("failed", failed), CARDS, "nl").body
    assert "- uw geld terug\n- een vervangend exemplaar\n- uw Halden Meridian 36 ongerepareerd terug" in dutch


def test_the_price_is_exact_and_the_work_described() -> None:
    wording = compose(planned("quote"), CARDS, "en")
    assert "€1,185.00" in wording.subject
    assert "What that covers: “new crown and stem”." in wording.body
    assert "The price holds up to and including Friday 11 December." in wording.body
    assert "€\N{NO-BREAK SPACE}1.185,00" in compose(planned("quote"), CARDS, "nl").body


def test_a_person_can_always_be_reached() -> None:
    for card, words in (
        (PartyCard(display_name="Juno", phone="020 1"), "Please call 020 1 and mention W-1001."),
        (PartyCard(display_name="Juno", email="a@juno.example"), "Please write to a@juno.example and mention W-1001."),
        (PartyCard(display_name="Juno"), "Please reply to this message and mention W-1001."),
    ):
        assert words in compose(planned("opened"), {SHOP: card}, "en").body


def test_a_party_without_a_card_speaks_under_the_name_of_its_id() -> None:
    assert compose(planned("opened"), {}, "en").body.endswith("Kind regards,\njuno\n")


@pytest.mark.parametrize(
    ("news", "thing"),
    [
        (News("x"), "item"),
        (News("x", description="garden lamp"), "garden lamp"),
        (News("x", brand="Halden", description="watch"), "Halden watch"),
        (News("x", model="Meridian"), "Meridian"),
        (News("x", brand="Halden", model="Meridian\r\nBcc: all"), "Halden Meridian Bcc: all"),
        (News("x", brand="Halden", model="pay at http://evil.example/x"), "Halden"),
        (News("x", brand="write to all@example.com"), "item"),
        (News("x", brand="Halden", model="Lamp", item="lamp 3"), "Halden Lamp (lamp 3)"),
        (News("x", brand="Long " * 40), "Long Long Long Long Long Long Long Long Long Long Long Long…"),
        (News("x", brand="{{ 7 * 7 }} & <b>"), "{{ 7 * 7 }} & <b>"),
    ],
)
def test_her_thing_is_called_by_its_name(news: News, thing: str) -> None:
    assert compose(planned("opened", news), CARDS, "en").subject == f"Your {thing} is with us: what happens next"


def test_salutations() -> None:
    assert salutation("Anna de Wit", "en") == "Dear Anna de Wit,"
    assert salutation("Anna\r\nBcc: x", "nl") == "Beste Anna Bcc: x,"
    assert salutation(None, "en") == "Hello,"
    assert salutation(" ", "nl") == "Goedendag,"


# -- dates and discretion ---------------------------------------------------------------------------------------------


def test_dates_are_those_of_amsterdam_summer_and_winter() -> None:
    assert ENGLISH.when(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), NOW) == "Thursday 2 July at 00:30"
    assert DUTCH.when(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), NOW) == "donderdag 31 december om 17.00 uur"
    assert ENGLISH.day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), NOW) == "Friday 1 January 2027"
    assert ENGLISH.deadline(datetime(2026, 12, 11, 11, 0, tzinfo=UTC), NOW) == "until Friday 11 December at 12:00"
    assert DUTCH.deadline(datetime(2026, 12, 11, 22, 59, tzinfo=UTC), NOW) == "tot en met vrijdag 11 december"


def test_amounts() -> None:
    assert ENGLISH.money(Decimal("85"), "EUR") == "€85.00"
    assert DUTCH.money(Decimal("1234567.5"), "CHF") == "CHF 1.234.567,50"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("new crown and stem", "new crown and stem"),
        ("Replaced the stem.\nTested.", "Replaced the stem. Tested"),
        ("Atelier Tick replaced the stem", None),
        ("the people at noordzee lost it", None),
        ("sent back by the importer", None),
        ("call 020 555 0199", None),
        ("write to bench@example.com", None),
        ("Juno asked for a new strap", "Juno asked for a new strap"),
        ("x" * 201, None),
        ("\u202e\x00 ", None),
        (None, None),
    ],
)
def test_what_partners_write_is_passed_on_with_discretion(text: str | None, told: str | None) -> None:
    assert passed_on(text, ["Atelier Tick", "noordzee", "Juno Trading"], ["Juno Watches"]) == told


@pytest.mark.parametrize(
    ("why", "gone"),
    [
        ("the part cannot be had", True),
        ("part_unavailable", True),
        ("Parts are no longer available", True),
        ("the part is no longer made", True),
        ("Onderdeel niet meer leverbaar", True),
        ("het onderdeel wordt niet meer gemaakt", True),
        ("het onderdeel past niet", False),
        ("the case is cracked", False),
        (None, False),
    ],
)
def test_the_reason_that_we_have_words_for(why: str | None, gone: bool) -> None:
    assert part_is_gone(why) is gone


def test_one_line_is_one_line() -> None:
    assert one_line("a\r\nb\t\u2028c\x00\u200bd") == "a b c d"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("ending", [None, "repaired"])
@pytest.mark.parametrize(
    "late", ["receive", "forward", "diagnose", "repair", "part", "cover", "answer", "visit", "promise"]
)
def test_a_delay_says_sorry_what_was_expected_and_by_when(language: str, ending: Ending | None, late: str) -> None:
    news = replace(NEWS, ending=ending, late=late, handed_at=NOW - timedelta(days=5), due=NOW - timedelta(days=3))
    body = compose(planned("overdue", news), CARDS, language).body
    assert body.startswith({"en": "We are sorry", "nl": "Het spijt ons"}[language])
    assert {"en": "Friday 20 November", "nl": "vrijdag 20 november"}[language] in body
    assert SPEECH[language].when(usual_promise(NOW), NOW) in body
    assert not FORBIDDEN.search(body)
    assert not OTHERS.search(body)


def test_each_step_that_is_late_is_told_in_words_of_its_own() -> None:
    kinds = ("receive", "forward", "diagnose", "repair", "part", "cover", "answer", "visit", "promise")
    due = NOW - timedelta(days=3)
    for language in LANGUAGES:
        bodies = {
            compose(planned("overdue", replace(NEWS, late=late, handed_at=due, due=due)), CARDS, language).body
            for late in kinds
        }
        assert len(bodies) == len(kinds)
