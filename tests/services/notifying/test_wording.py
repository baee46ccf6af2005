"""The words of single messages: concrete, dated, in one voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from events.chain import MessageKind
from services.notifying.phrases import first_sentence
from services.notifying.records import Answer, Cover, Decision, Ending, News, Other, Promised, Step, Visit, Wrong
from services.notifying.wording import Wording, compose, salutation, together
from services.parties import PartyCard
from tests.about import about
from tests.services.notifying.chain import SHOP
from tests.services.notifying.letters import (
    ANSWER,
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
)

HOUR = timedelta(hours=1)
HOME = replace(NEWS, brand="Vesta", model="HR 24", never_left=True, status="taken_in")


def worded(kind: MessageKind, news: News = NEWS, language: str = "en") -> Wording:
    return compose(planned(kind, news), CARDS, language)


def body(kind: MessageKind, news: News = NEWS, language: str = "en") -> str:
    return worded(kind, news, language).body


def test_languages_differ() -> None:
    for kind in KINDS:
        with about(kind):
            english, dutch = (worded(kind, language=language) for language in ("en", "nl"))
            assert english.body != dutch.body
            assert english.subject != dutch.subject
            assert (english.language, dutch.language) == ("en", "nl")


def test_the_announced_closure_is_in_the_message() -> None:
    closed = replace(
        NEWS,
        closed_from=datetime(2026, 11, 29, 23, 0, tzinfo=UTC),
        closed_until=datetime(2026, 12, 11, 23, 0, tzinfo=UTC),  # a Friday night: Monday is the first day open
    )
    assert "We are closed from Monday 30 November and open again on Monday 14 December" in body("opened", closed)


def test_while_we_are_closed_nobody_is_asked_to_call() -> None:
    closed = replace(NEWS, closed_from=NOW - DAY, closed_until=datetime(2026, 11, 29, 23, 0, tzinfo=UTC))
    english = body("overdue", closed)
    assert "We are closed at the moment and open again on Monday 30 November" in english
    assert (
        "You can call 020 555 01 01 from Monday 30 November, and write to service@juno.example at any time." in english
    )
    assert "Bellen kan vanaf maandag 30 november, op 020 555 01 01; mailen kan altijd" in body("overdue", closed, "nl")


def test_that_the_part_cannot_be_had_is_a_choice_for_her() -> None:
    failed = replace(
        NEWS, ending="failed", why="The part cannot be had.", options=("refund", "exchange", "return_as_is")
    )
    english = body("failed", failed)
    assert "A part that it needs is no longer available." in english
    assert "- your money back\n- a replacement\n- your Halden Meridian 36 back, unrepaired" in english
    dutch = body("failed", failed, "nl")
    assert "- uw geld terug\n- een vervangend exemplaar\n- uw Halden Meridian 36 ongerepareerd terug" in dutch


def test_the_price_is_exact_and_the_work_described() -> None:
    wording = worded("quote")
    assert "€1,185.00" in wording.subject
    assert "What that covers: “new crown and stem”." in wording.body
    assert "The price holds up to and including Friday 11 December." in wording.body
    assert "€\N{NO-BREAK SPACE}1.185,00" in body("quote", language="nl")


@pytest.mark.parametrize(
    ("card", "english", "dutch"),
    [
        (
            PartyCard(display_name="Juno", phone="020 1", person="Sanne"),
            "Please call 020 1 and mention your repair number W-1001. Ask for Sanne.",
            "Bel 020 1 en noem daarbij uw reparatienummer W-1001. Vraag naar Sanne.",
        ),
        (
            PartyCard(display_name="Juno", email="a@juno.example"),
            "Please write to a@juno.example and mention your repair number W-1001.\n",
            "Mail naar a@juno.example en noem daarbij uw reparatienummer W-1001.\n",
        ),
        (
            PartyCard(display_name="Juno", person="see https://juno.example/desk"),
            "Please reply to this message and mention your repair number W-1001.\n",
            "Beantwoord dan dit bericht en noem daarbij uw reparatienummer W-1001.\n",
        ),
    ],
)
def test_a_person_can_always_be_reached(card: PartyCard, english: str, dutch: str) -> None:
    assert english in compose(planned("opened"), {SHOP: card}, "en").body
    assert dutch in compose(planned("opened"), {SHOP: card}, "nl").body


def test_a_party_without_a_card_speaks_under_the_name_of_its_id() -> None:
    assert compose(planned("opened"), {}, "en").body.endswith("Kind regards,\njuno\n")


@pytest.mark.parametrize(
    ("news", "thing"),
    [
        (News("x"), "item"),
        (News("x", description="garden lamp"), "garden lamp"),
        (News("x", brand="Halden", description="watch"), "Halden watch"),
        (News("x", model="Meridian"), "Meridian"),
        (News("x", brand="Halden", description="reading glasses"), "pair of Halden reading glasses"),
        (News("x", description="A pair of shoes"), "pair of shoes"),
        (News("x", brand="House of Halden", model="headphones"), "pair of House of Halden headphones"),
        (News("x", description="walking boots, brown"), "pair of walking boots, brown"),
        (News("x", description="her curtains (2)"), "set of curtains (2)"),
        (News("x", description="an oil lamp"), "oil lamp"),
        (News("x", description="suitcase with wheels"), "suitcase with wheels"),
        (News("x", brand="Halden", description="hearing aids"), "pair of Halden hearing aids"),
        (News("x", brand="Halden", description="outdoor lamps"), "set of Halden outdoor lamps"),
        (News("x", description="Set of lamps"), "Set of lamps"),
        (News("x", description="glasses case"), "glasses case"),
        (News("x", brand="Halden", model="Meridian\r\nBcc: all"), "Halden Meridian Bcc: all"),
        (News("x", brand="Halden", model="pay at http://evil.example/x"), "Halden"),
        (News("x", brand="write to all@example.com"), "item"),
        (News("x", brand="Halden", model="Lamp", item="lamp 3"), "Halden Lamp (lamp 3)"),
        (News("x", brand="Long " * 40), "Long Long Long Long Long Long Long Long Long Long Long Long…"),
        (News("x", brand="{{ 7 * 7 }} & <b>"), "{{ 7 * 7 }} & <b>"),
        (News("x", brand="Hal✂den⏎"), "Hal den"),
    ],
)
def test_her_thing_is_called_by_its_name(news: News, thing: str) -> None:
    assert worded("opened", news).subject == f"Your {thing}: what happens next"


@pytest.mark.parametrize(
    ("news", "thing"),
    [
        (News("x", brand="Halden", description="wandelschoenen"), "paar Halden wandelschoenen"),
        (News("x", description="mijn hoortoestellen"), "paar hoortoestellen"),
        (News("x", description="keukenstoelen, eiken"), "set keukenstoelen, eiken"),
        (News("x", description="een bril"), "bril"),
        (News("x", description="koffer met wielen"), "koffer met wielen"),
        (News("x", description="paar laarzen"), "paar laarzen"),
    ],
)
def test_in_dutch_it_is_one_thing_too(news: News, thing: str) -> None:
    assert worded("opened", news, "nl").subject == f"Uw {thing}: zo gaat het verder"


def test_salutations() -> None:
    assert salutation("Anna de Wit", "en") == "Dear Anna de Wit,"
    assert salutation("Anna\r\nBcc: x", "nl") == "Beste Anna Bcc: x,"
    assert salutation(None, "en") == "Hello,"
    assert salutation(" ", "nl") == "Goedendag,"


def test_she_reads_times_by_her_own_clock() -> None:
    plan = planned("visit", replace(NEWS, visit=VISIT))
    english = compose(plan, CARDS, "en", zone=ZoneInfo("America/New_York")).body
    assert "We will visit you for your Halden Meridian 36: Wednesday 25 November between 05:00 and 08:00." in english
    assert "by Monday 30 November at 11:00 at the latest" in english


# -- what is late -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "english", "dutch"),
    [
        ("answer", "you are still waiting for our answer to your question about your", "u wacht nog op ons antwoord"),
        ("visit", "we missed our appointment for your", "onze afspraak voor uw Halden Meridian 36 hebben gemist"),
        ("part", "the part that your Halden Meridian 36 needs is late", "het onderdeel voor uw Halden Meridian 36"),
        ("cover", "the decision on the guarantee of your", "de beslissing over de garantie op uw"),
        (
            "repair",
            "the repair of your Halden Meridian 36 takes longer",
            "de reparatie van uw Halden Meridian 36 duurt",
        ),
        ("return", "you should have had your Halden Meridian 36 back", "u had uw Halden Meridian 36 nu al terug"),
        ("check", "we should have asked you by now", "we hadden u al moeten vragen"),
        ("promise", "the date that we had named", "de datum die we voor uw Halden Meridian 36 hadden genoemd"),
        ("receive", "there is a delay with your Halden Meridian 36", "er is vertraging met uw Halden Meridian 36"),
    ],
)
def test_the_first_sentence_says_sorry_and_what_is_late(late: str, english: str, dutch: str) -> None:
    news = replace(NEWS, late=late)
    for language, words in (("en", english), ("nl", dutch)):
        first = first_sentence(body("overdue", news, language))
        assert first.startswith({"en": "We are sorry: ", "nl": "Het spijt ons: "}[language])
        assert words in first


def test_an_answer_or_a_visit_that_is_late_is_not_the_repair() -> None:
    for late in ("answer", "visit", "check"):
        assert "the repair" not in body("overdue", replace(NEWS, late=late))
        assert "de reparatie" not in body("overdue", replace(NEWS, late=late), "nl")


def test_each_step_that_is_late_is_told_in_words_of_its_own() -> None:
    for language in LANGUAGES:
        assert len({body("overdue", replace(NEWS, late=late), language) for late in LATE}) == len(LATE)


@pytest.mark.parametrize(
    ("due", "urgent", "words"),
    [
        (NOW - 3 * DAY, False, "by Friday 20 November, "),
        (NOW - 3 * DAY, True, "by Friday 20 November at 11:00, "),
        (NOW - timedelta(hours=2), False, "by Monday 23 November at 09:00, "),
    ],
)
def test_the_hour_is_named_where_it_matters(due: datetime, urgent: bool, words: str) -> None:
    plan = planned("overdue", replace(NEWS, late="answer", due=due))
    assert f"an answer to your question {words}" in compose(plan, CARDS, "en", urgent=urgent).body


def test_an_admission_does_not_come_before_the_apology_for_a_delay() -> None:
    news = replace(NEWS, late="part", taken_back=(Wrong("repaired", NOW - DAY),))
    english = body("overdue", news)
    assert english.startswith("We are sorry: the part")
    assert "On Sunday 22 November we wrote to you that your Halden Meridian 36 had been repaired." in english
    assert body("received", replace(news, late=None)).startswith("On Sunday 22 November")


def test_what_is_at_her_home_is_not_with_us() -> None:
    for kind in ("opened", "repaired", "closed", "update", "promise", "overdue"):
        for ending in (None, "repaired"):
            news = replace(HOME, ending=ending, late="forward", promised=replace(PROMISE, kind="forward"))
            english, dutch = (worded(kind, news, language) for language in LANGUAGES)
            for words in ("with us", "back to us", "sent on", "back with you"):
                assert words not in f"{english.subject} {english.body}"
            for words in ("bij ons", "naar ons", "nog niet terug"):
                assert words not in f"{dutch.subject} {dutch.body}"


@pytest.mark.parametrize("kind", ["opened", "update"])
def test_nobody_claims_to_have_what_nobody_has_brought(kind: MessageKind) -> None:
    news = replace(NEWS, status="taken_in")  # she may have written, and it hangs in her house
    english, dutch = (worded(kind, news, language) for language in LANGUAGES)
    assert "with us" not in f"{english.subject} {english.body}".replace("to us with your", "")
    assert "is bij ons" not in f"{dutch.subject} {dutch.body}"


def test_what_could_not_be_repaired_is_not_called_done() -> None:
    failed = replace(NEWS, late="forward", ending="failed")
    assert "it could not be repaired, and we had expected it to be on its way" in body("overdue", failed)
    assert "the work on it is done" in body("overdue", replace(failed, ending="repaired"))
    assert "repareren is niet gelukt, en we hadden verwacht" in body("overdue", failed, "nl")


def test_nothing_costs_her_money_is_not_said_to_who_has_said_yes_to_a_price() -> None:
    late = replace(NEWS, late="cover")
    assert "nothing is done that costs you money" in body("overdue", late)
    assert "costs you money" not in body("overdue", replace(late, decided_to_repair=True))
    assert "geld kost" not in body("overdue", replace(late, decided_to_repair=True), "nl")


def test_after_a_missed_visit_a_new_time_is_what_comes_next() -> None:
    english = body("overdue", replace(NEWS, late="visit"))
    assert "You will hear from us by Monday 30 November" in english
    assert "unless we have agreed on a new time with you before then" in english


def test_what_the_carrier_says_of_a_parcel_that_is_late_is_passed_on_and_is_no_receipt() -> None:
    late = replace(NEWS, handed_at=NOW - 9 * DAY, due=NOW - 7 * DAY, delivered_at=NOW - 8 * DAY)
    told: tuple[tuple[MessageKind, News], ...] = (("overdue", replace(late, late="receive")), ("update", late))
    for kind, news in told:
        english = body(kind, news)
        assert "The carrier reports that the parcel was delivered on Sunday 15 November." in english
        assert "we have asked for it to be looked for there, and will see to it that it moves on" in english
        assert "has arrived" not in english or "no confirmation" in english
        assert "asked where it is" not in english
        dutch = body(kind, news, "nl")
        assert "De vervoerder meldt dat het pakket op zondag 15 november is bezorgd." in dutch
        assert "we laten het daar zoeken" in dutch
    home = body("overdue", replace(late, late="receive", heading_to_us=True))
    assert "delivered to us on Sunday 15 November" in home
    assert "we are looking for it here" in home


def test_who_does_not_say_that_all_is_well_reads_how_it_can_end() -> None:
    mended = replace(NEWS, status="repaired", ending="repaired", never_left=True)
    assert "a word from you is enough" not in body("update", mended)
    assert "If all is well, a word from you is enough, and we close the repair." in body(
        "update", replace(mended, silent=1)
    )
    assert "een kort berichtje genoeg" in body("update", replace(mended, silent=1), "nl")


def test_a_letter_that_ends_it_says_when_she_is_asked_whether_all_is_well() -> None:
    ended = replace(NEWS, final=True, outcome="repaired", check_at=NOW + 2 * DAY)
    assert "You will hear from us on Wednesday 25 November, when we ask you whether all is well, and" in body(
        "closed", ended
    )
    assert "our last message" not in body("closed", ended)
    assert "U hoort op woensdag 25 november van ons: dan vragen we u of alles in orde is." in body(
        "closed", ended, "nl"
    )
    assert "only if something changes" not in body("closed", replace(ended, answer_owed=True))


@pytest.mark.parametrize(
    ("ending", "outcome", "english", "dutch"),
    [
        (
            "declined",
            "declined",
            "is back with you, unrepaired as you decided.",
            "niet gerepareerd zoals u hebt besloten.",
        ),
        (
            "failed",
            None,
            "we are sorry that it could not be repaired.",
            "het spijt ons dat de reparatie niet is gelukt.",
        ),
        (None, None, "is back with you, and we would like to know", "terug, en we horen graag"),
        (None, "repaired", "was repaired, and", "is gerepareerd, en"),
        ("replaced", "replaced", "was replaced, and", "is vervangen, en"),
    ],
)
def test_nobody_is_asked_about_a_repair_that_was_none(
    ending: Ending | None, outcome: str | None, english: str, dutch: str
) -> None:
    asked = replace(NEWS, ending=ending, outcome=outcome, status="returned", final=True)
    assert english in body("check", asked)
    assert dutch in body("check", asked, "nl")
    assert ("was repaired" in body("check", asked)) == (outcome == "repaired")
    assert ("the repair after all" in body("check", asked)) == (ending == "declined")


def test_who_was_just_given_it_is_not_asked_whether_she_has_it() -> None:
    closed = replace(NEWS, ending="repaired", outcome="repaired", final=True)
    for language, words in (("en", "not back with you yet"), ("nl", "nog niet terug")):
        assert words in body("closed", closed, language)
        assert words not in body("closed", replace(closed, with_her=True), language)


def test_who_saw_it_mended_is_not_told_that_it_may_come_back() -> None:
    mended = replace(HOME, ending="repaired")
    for language, words in (("en", "Otherwise we will write to you"), ("nl", "Anders krijgt u bericht")):
        assert words in body("repaired", mended, language)
        assert words not in body("repaired", replace(mended, done_there=True), language)


def test_every_letter_of_a_long_silence_is_counted() -> None:
    for silent, english, dutch in (
        (5, "sixth", "zesde"),
        (9, "tenth", "tiende"),
        (10, "11th", "11e"),
        (21, "22nd", "22e"),
    ):
        news = replace(NEWS, silent=silent, last_fact_at=NOW - 60 * DAY)
        assert f"this is the {english} message in a row" in body("update", news)
        assert f"{dutch} bericht" in body("update", news, "nl")


def test_a_yes_to_a_price_that_has_run_out_is_not_taken_for_a_price_that_holds() -> None:
    assert QUOTE.valid_until is not None
    for language, price, late in (
        ("en", " for €1,185.00", "should it be another one now"),
        ("nl", " voor €\u00a01.185,00", "; is die nu anders"),
    ):
        said = Decision(yes=True, quote=QUOTE)
        assert price in body("decision", replace(NEWS, decision=said), language)
        lapsed = body("decision", replace(NEWS, decision=replace(said, lapsed=True)), language)
        assert price not in lapsed
        assert late in lapsed


def test_a_part_that_is_late_leaves_the_date_of_the_repair_as_it_was_told() -> None:
    late = replace(NEWS, late="part", due=NOW - DAY, repair_by=NOW + 4 * DAY)
    assert "We had named Friday 27 November for the repair; should that change, we will tell you." in body(
        "overdue", late
    )
    assert "Voor de reparatie noemden we vrijdag 27 november" in body("overdue", late, "nl")


def test_what_is_not_examined_leaves_the_date_of_the_repair_as_it_was_told() -> None:
    late = replace(NEWS, late="diagnose", due=NOW - DAY, repair_by=NOW + 4 * DAY)
    english = body("overdue", late)
    assert "The date that we named for the repair, Friday 27 November, holds as far as we know" in english
    assert "rather not guess" not in english
    dutch = body("overdue", late, "nl")
    assert "De datum die we voor de reparatie noemden, vrijdag 27 november, geldt voor zover wij weten nog" in dutch
    assert "kunnen we u nog niet noemen" not in dutch


def test_what_has_just_been_told_is_not_told_again_as_how_it_stands() -> None:
    for name, status, english, dutch in (
        ("diagnosis.made", "diagnosed", "the next step for your Halden", "de volgende stap voor uw Halden"),
        ("part.ordered", "waiting_for_part", "is waiting for that part", "wacht op dat onderdeel"),
        ("part.arrived", "part_arrived", "with that part the repair", "met dat onderdeel gaat de reparatie"),
    ):
        since = replace(NEWS, status=status, since=(Step(name, NOW - DAY),), last_fact_at=NOW)
        assert english in body("update", since)
        assert dutch in body("update", since, "nl")
        assert english not in body("update", replace(since, since=()))


def test_what_was_repaired_only_in_part_is_not_said_to_be_repaired() -> None:
    lamps = (Other("lamp 1", "repaired"), Other("lamp 2", "failed"))
    closed = replace(NEWS, final=True, outcome="repaired", others=lamps)
    assert "What could be repaired of your Halden Meridian 36 has been repaired" in body("closed", closed)
    assert "Van uw Halden Meridian 36 is gerepareerd wat te repareren was" in body("closed", closed, "nl")
    both = replace(closed, others=(lamps[0], replace(lamps[1], ending="repaired")))
    assert "Your Halden Meridian 36 has been repaired" in body("closed", both)


def test_who_has_chosen_is_not_asked_once_more_when_it_is_here() -> None:
    failed = replace(NEWS, status="ready", ending="failed", options=("refund", "return_as_is"))
    for language, ask, have in (
        ("en", "You can choose", "we have your message"),
        ("nl", "U kunt kiezen", "uw bericht"),
    ):
        assert ask in body("ready", failed, language)
        chosen = worded("ready", replace(failed, chosen=True), language)
        assert ask not in chosen.body
        assert have in chosen.body
        assert not chosen.subject.endswith("?")


@pytest.mark.parametrize("kind", ["ready", "update"])
def test_of_several_things_those_that_are_done_are_not_said_to_have_failed(kind: MessageKind) -> None:
    failed = replace(NEWS, status="ready", ending="failed", options=("refund",))
    partly = replace(failed, others=(Other("lamp 1", "repaired"), Other("lamp 2", "failed")))
    for language, words in (("en", "not all of"), ("nl", "niet helemaal")):
        assert words in body(kind, partly, language)
        assert words not in body(kind, failed, language)


def test_nobody_says_that_we_asked_ourselves() -> None:
    late = replace(NEWS, late="forward", due=NOW - DAY)
    for language, words in (("en", "we have asked"), ("nl", "nagevraagd")):
        assert words in body("overdue", late, language)
        assert words not in body("overdue", replace(late, ours=True), language)


def test_that_still_nobody_called_is_said_in_other_words() -> None:
    uncalled = replace(NEWS, uncalled=True, silent=4, last_fact_at=NOW - 30 * DAY)
    for language in LANGUAGES:
        first, second = (body("update", replace(uncalled, uncalled_still=still), language) for still in (False, True))
        assert first.split("\n\n")[0] != second.split("\n\n")[0]
    assert "still nobody has been in touch with you about your" in body(
        "update", replace(uncalled, uncalled_still=True)
    )


def test_a_person_is_announced_with_what_is_waited_for() -> None:
    missed = replace(HOME, silent=3, visit_missed=NOW - DAY, last_fact_at=NOW - DAY)
    assert "We are sorry: there is still no new time for our visit for your Vesta HR 24" in body("person", missed)
    assert "nog steeds geen nieuw tijdstip voor ons bezoek" in body("person", missed, "nl")


def test_a_visit_that_is_agreed_on_is_the_news_where_there_is_none() -> None:
    ahead = replace(HOME, silent=3, visit_ahead=(NOW + 3 * DAY, NOW + 3 * DAY + DAY / 8), last_fact_at=NOW - DAY)
    for language, stands in (
        ("en", "our visit goes ahead as agreed"),
        ("nl", "ons bezoek gaat door zoals afgesproken"),
    ):
        text = body("update", ahead, language)
        assert stands in text
        assert "sorry" not in text
        assert "spijt" not in text
    waits = replace(ahead, status="waiting_for_part")
    assert "is waiting for" in body("update", waits)
    assert "Our visit is planned for" in body("update", waits)


def test_a_delay_that_goes_on_offers_a_way_out() -> None:
    late = replace(NEWS, handed_at=NOW - 9 * DAY, due=NOW - 7 * DAY)
    assert "rather not wait any longer" not in body("update", late)
    assert "If you would rather not wait any longer, please tell Sanne: we will talk" in body(
        "update", replace(late, silent=1)
    )
    assert "Wilt u liever niet langer wachten" in body("update", replace(late, silent=1), "nl")


# -- what has happened since ------------------------------------------------------------------------------------------


CAME = Step("part.arrived", NOW - 3 * DAY, item="lamp 3")
WRONG = Step("part.rejected", NOW - 2 * DAY, item="lamp 3")


def test_a_wrong_part_is_no_arrival_and_we_are_sorry() -> None:
    news = replace(NEWS, status="waiting_for_part", since=(CAME, WRONG))
    english, dutch = (body("update", news, language) for language in LANGUAGES)
    assert first_sentence(english).startswith("We are sorry")
    assert "- Saturday 21 November, lamp 3: a part arrived that turned out not to be the right one." in english
    assert "the part that it needs arrived" not in english
    assert "your Halden Meridian 36 is waiting for the right part." in english
    assert first_sentence(dutch).startswith("Het spijt ons")
    assert "binnengekomen" not in dutch
    assert "uw Halden Meridian 36 wacht op het juiste onderdeel." in dutch


def test_the_right_part_after_a_wrong_one_is_an_arrival() -> None:
    again = Step("part.arrived", NOW - DAY, item="lamp 3")
    english = body("update", replace(NEWS, status="part_arrived", since=(CAME, WRONG, again)))
    assert english.count("the part that it needs arrived") == 1
    other = replace(NEWS, status="part_arrived", since=(replace(CAME, item="lamp 5"), WRONG))
    assert "lamp 5: the part that it needs arrived" in body("update", other)


def test_her_yes_is_not_told_twice() -> None:
    approved = replace(NEWS, status="approved", since=(Step("quote.accepted", NOW - DAY),))
    assert body("update", approved).count("said yes") == 1
    assert "as you have said yes to it" in body("update", replace(approved, since=()))


@pytest.mark.parametrize(
    ("status", "waits"),
    [("received", True), ("waiting_for_customer", True), ("waiting_for_part", False), ("in_repair", False)],
)
def test_only_what_nobody_works_on_waits_for_her_answer(status: str, waits: bool) -> None:
    news = replace(NEWS, status=status, asked=True, questions=("How many hours a day do they burn?",))
    wording = worded("update", news)
    assert ("is waiting for your answer" in wording.subject) == waits
    assert ("We are also waiting for an answer from you: “How many hours" in wording.body) != waits


def test_a_reminder_gives_her_time_and_asks_for_what_it_waits_for() -> None:
    failed = replace(NEWS, status="repair_failed", ending="failed", options=("refund", "exchange"))
    choice, price = body("update", failed), body("update", replace(NEWS, quote=QUOTE))
    for reminder in (choice, price):
        assert "at the latest, also if you have not decided by then." in reminder
    assert "Would you like to tell us your choice, or talk it over first? Please call" in choice
    assert "Would you like to say yes or no, or ask something first? Please call" in price
    assert "ook als u dan nog niet hebt gekozen" in body("update", failed, "nl")


def test_what_was_replaced_was_not_repaired() -> None:
    replaced = replace(NEWS, ending="replaced")
    assert "Your Halden Meridian 36 was replaced, and we would like to know" in body("check", replaced)
    assert "Uw Halden Meridian 36 is vervangen, en we horen graag" in body("check", replaced, "nl")
    assert (
        worded("closed", replace(replaced, outcome="replaced")).subject == "Your Halden Meridian 36 has been replaced"
    )


# -- answers, promises, visits, cover ---------------------------------------------------------------------------------


def test_the_answer_is_in_the_message() -> None:
    english = body("answer", replace(NEWS, answer=ANSWER))
    assert "You asked: “Which strap fits?”\n\nOur answer: “A strap of 20 mm fits”." in english
    dutch = body("answer", replace(NEWS, answer=ANSWER), "nl")
    assert "U vroeg: “Which strap fits?”\n\nOns antwoord: “A strap of 20 mm fits”." in dutch


def test_a_long_answer_is_told_in_full() -> None:
    text = "Turn the crown until it stops. " * 30
    assert text.strip() in body("answer", replace(NEWS, answer=Answer(text)))


def test_an_answer_that_names_another_link_is_explained_by_us() -> None:
    wording = worded("answer", replace(NEWS, answer=Answer("Atelier Tick will send it", "When does it come?")))
    assert wording.subject == "There is an answer to your question about your Halden Meridian 36"
    assert "Please call us, or reply to this message, and we will tell you what it is." in wording.body
    assert "Tick" not in wording.body
    without_phone = {SHOP: PartyCard(display_name="Juno")}
    plan = planned("answer", replace(NEWS, answer=None))
    assert "Please reply to this message, and we will tell you what it is." in compose(plan, without_phone, "en").body


def test_an_answer_may_name_our_own_number() -> None:
    answer = Answer("Call us on 020 555 01 01 for a new strap")
    assert "“Call us on 020 555 01 01 for a new strap”." in body("answer", replace(NEWS, answer=answer))


def test_a_promise_is_an_expectation_with_a_date() -> None:
    wording = worded("promise")
    assert "We expect the repair to be done by Monday 30 November." in wording.body
    assert wording.subject == "Your Halden Meridian 36: what we expect by Monday 30 November"
    assert "We verwachten dat de reparatie uiterlijk maandag 30 november klaar is." in body("promise", language="nl")
    free = replace(NEWS, promised=Promised(NOW + 7 * DAY, what="the dial is cleaned"))
    assert "This is what we expect by Monday 30 November: “the dial is cleaned”." in body("promise", free)


def test_a_moved_promise_says_sorry_names_both_dates_and_the_reason() -> None:
    moved = replace(NEWS, promised=replace(PROMISE, before=NOW + DAY, reason="the crown came in the wrong size"))
    english = body("promise", moved)
    assert english.startswith("We are sorry: the repair of your Halden Meridian 36 takes longer than we had expected.")
    assert "The repair was to be done by Tuesday 24 November at 11:00; the new date is Monday 30 November." in english
    assert "The reason: “the crown came in the wrong size”." in english
    secret = replace(moved, promised=replace(PROMISE, before=NOW + DAY, reason="Noordzee lost it"))
    assert "The reason" not in body("promise", secret)


def test_a_date_that_came_nearer_is_good_news() -> None:
    sooner = replace(NEWS, promised=replace(PROMISE, before=PROMISE.by + 7 * DAY))
    assert body("promise", sooner).startswith("Good news: your Halden Meridian 36 is making faster progress")
    assert body("promise", sooner, "nl").startswith("Goed nieuws: het gaat sneller")


def test_a_visit_has_a_window() -> None:
    english = body("visit")
    assert "We will visit you for your Halden Meridian 36: Wednesday 25 November between 11:00 and 14:00." in english
    assert "What we come for: “replace the fan”." in english
    assert "woensdag 25 november tussen 11.00 en 14.00 uur" in body("visit", language="nl")


def test_a_moved_visit_says_sorry_first() -> None:
    moved = replace(NEWS, visit=replace(VISIT, before=NOW + DAY))
    assert body("visit", moved).startswith(
        "We are sorry: our visit for your Halden Meridian 36 has to move.\n\n"
        "It was planned for Tuesday 24 November at 11:00. "
        "The new time is Wednesday 25 November between 11:00 and 14:00."
    )
    longer = replace(NEWS, visit=replace(VISIT, before=VISIT.begin))
    assert "sorry" not in body("visit", longer)


def test_a_visit_that_nobody_came_to_was_not_moved() -> None:
    missed = replace(NEWS, visit=replace(VISIT, before=NOW - HOUR))
    english = body("visit", missed)
    assert english.startswith(
        "We are sorry: our visit for your Halden Meridian 36, planned for Monday 23 November at 10:00"
    )
    assert "has to move" not in english
    assert "The new time is Wednesday 25 November between 11:00 and 14:00." in english
    assert "is niet doorgegaan zoals afgesproken" in body("visit", missed, "nl")


def test_cover_is_a_decision_with_a_cause_and_a_way_to_appeal() -> None:
    refused = body("cover")
    assert "The cause: “limescale”." in refused
    assert "looked at again: “tell us within four weeks why you see it otherwise”." in refused
    assert "Nothing is done that costs you money before you have said yes." in refused
    no_way = body("cover", replace(NEWS, cover=replace(COVER, appeal="write to claims@noordzee.example")))
    assert "If you do not agree, please tell us why" in no_way
    covered = worded("cover", replace(NEWS, cover=Cover("covered", "a fault of production")))
    assert covered.subject == "Good news: the guarantee covers the repair of your Halden Meridian 36"
    assert "The reason: “a fault of production”." in covered.body
    again = replace(NEWS, cover=Cover("covered", changed=True))
    assert "Good news: the decision on the guarantee has been looked at again, and it covers" in body("cover", again)
    assert "de beslissing is opnieuw bekeken, en de reparatie van uw Halden" in body("cover", again, "nl")
    after_all = replace(NEWS, cover=replace(COVER, changed=True))
    assert "it does not cover the repair of your Halden Meridian 36 after all" in body("cover", after_all)
    goodwill = body("cover", replace(NEWS, cover=Cover("goodwill")))
    assert "although the guarantee does not cover it, we help you with your Halden Meridian 36 as a gesture" in goodwill
    assert "hoewel het niet onder de garantie valt, helpen we u uit coulance" in body(
        "cover", replace(NEWS, cover=Cover("goodwill")), "nl"
    )


# -- several messages in one letter -----------------------------------------------------------------------------------


def _together(language: str, *told: tuple[str, News]) -> str:
    worded_ = [worded(cast(MessageKind, kind), news, language) for kind, news in told]
    return together([each.story for each in worded_[:-1]], worded_[-1].body, language)


AT_WORKSHOP = replace(NEWS, status="received", place="workshop")


def test_several_stories_make_one_letter() -> None:
    letter = _together("en", ("opened", NEWS), ("received", AT_WORKSHOP), ("quote", NEWS))
    assert _places(
        letter,
        "We have more than one thing to tell you. In the order in which it happened:",
        "Thank you for turning to us with",
        "has arrived at the workshop.",
        " costs: €1,185.00",
        "by Monday 30 November at 17:00 at the latest",
        "Kind regards,",
    )
    for once in ("Kind regards,", "at the latest", "repair number W-1001", "more than one thing"):
        assert letter.count(once) == 1
    # What was to come after the earlier ones has come.
    assert "it will be examined" not in letter


def test_bad_news_among_several_is_not_kept_for_later() -> None:
    for language, words in (("en", "We are sorry: not all"), ("nl", "Het spijt ons: niet alles")):
        assert _together(language, ("opened", NEWS), ("overdue", NEWS)).startswith(words)
    assert _together("en", ("overdue", NEWS), ("quote", NEWS)).startswith("We are sorry: there is a delay")


def test_nothing_is_said_twice() -> None:
    wording = worded("received", AT_WORKSHOP)
    assert together([wording.story, wording.story], wording.body, "en") == wording.body
    assert together([], wording.body, "en") == wording.body


@pytest.mark.parametrize(
    ("language", "late", "reminder"),
    [
        ("en", "you are still waiting for our answer", "We have not forgotten that we owe you an answer"),
        ("nl", "u wacht nog op ons antwoord", "We zijn niet vergeten dat we u nog een antwoord schuldig zijn"),
    ],
)
def test_that_an_answer_is_late_is_said_once(language: str, late: str, reminder: str) -> None:
    answer = ("overdue", replace(NEWS, late="answer", answer_owed=True, answer_owed_by=None))
    delay = ("overdue", replace(NEWS, late="repair", answer_owed=True, answer_owed_by=None))
    assert reminder in worded("overdue", delay[1], language).body
    for told in ((answer, delay), (delay, answer)):
        letter = _together(language, *told)
        assert late in letter
        assert reminder not in letter
    # Another answer, which is not late yet, has a date of its own.
    other = ("overdue", replace(delay[1], answer_owed_by=NOW + 48 * HOUR))
    assert reminder in _together(language, answer, other)


def test_a_whole_body_among_the_stories_is_not_signed() -> None:
    opened, quote = worded("opened"), worded("quote")
    assert together([opened.body], quote.body, "en") == together([opened.story], quote.body, "en")


def _places(text: str, *words: str) -> bool:
    """Whether ``words`` come in ``text`` one after the other."""
    places: Sequence[int] = [text.find(each) for each in words]
    return -1 not in places and list(places) == sorted(places)


def test_a_new_visit_is_no_moved_one() -> None:
    assert "sorry" not in body("visit", replace(NEWS, visit=Visit(NOW + DAY, NOW + 2 * DAY)))


def test_a_service_centre_may_send_it_on_before_anybody_looks_at_it() -> None:
    assert "next: it will be examined, so that" in body("received", replace(NEWS, place="service_centre"))
    assert "next: it will be examined there, so that" in body("received", replace(NEWS, place="workshop"))


@pytest.mark.parametrize("kind", ["update", "check", "closed", "received"])
def test_an_answer_that_we_owe_her_is_not_passed_over(kind: MessageKind) -> None:
    owed = "We have not forgotten that we owe you an answer: you will get it from us."
    final = kind in ("check", "closed")
    news = replace(NEWS, final=final, outcome="repaired" if final else None)
    assert owed not in body(kind, news)
    told = body(kind, replace(news, answer_owed=True))
    assert owed in told
    # Whoever still owes something does not say that this was all.
    assert "our last message" not in told


def test_the_answer_that_we_owe_has_a_date_if_there_is_one() -> None:
    news = replace(NEWS, answer_owed=True, answer_owed_by=NOW + 2 * DAY)
    assert "we owe you an answer: you will get it by Wednesday 25 November." in body("received", news)
    assert "dat krijgt u uiterlijk woensdag 25 november." in body("received", news, "nl")


def test_a_person_who_was_to_be_in_touch_is_not_forgotten_in_a_letter_about_a_delay() -> None:
    news = replace(NEWS, late="forward", due=NOW - DAY, call_owed=True)
    assert "We have not forgotten that Sanne is to get in touch with you." in body("overdue", news)
    assert "niet vergeten dat Sanne nog contact met u opneemt" in body("overdue", news, "nl")
    assert "forgotten" not in body("overdue", replace(news, call_owed=False))


def test_the_answer_itself_speaks_for_itself() -> None:
    news = replace(NEWS, answer=ANSWER, answer_owed=True)
    assert "owe you an answer" not in body("answer", news)


NAMED = planned("overdue").next_news_by


@pytest.mark.parametrize(
    ("kind", "before", "english", "dutch"),
    [
        (
            "overdue",
            -3 * DAY,
            "This later date replaces Friday 27 November, which we named last time.",
            "Deze latere datum komt in de plaats van vrijdag 27 november, die we de vorige keer noemden.",
        ),
        (
            "received",
            DAY,
            "even if there is nothing new to tell by then. This date takes the place of Tuesday 1 December.",
            "Deze datum komt in de plaats van dinsdag 1 december.",
        ),
        (
            "received",
            -HOUR,
            "This date takes the place of Monday 30 November at 16:00.",
            "Deze datum komt in de plaats van maandag 30 november om 16.00 uur.",
        ),
        (
            "update",
            -3 * DAY,
            "This is the message that we promised you by Friday 27 November.",
            "Dit is het bericht dat we u uiterlijk vrijdag 27 november hadden beloofd.",
        ),
    ],
)
def test_a_date_that_takes_the_place_of_another_says_so(
    kind: MessageKind, before: timedelta, english: str, dutch: str
) -> None:
    assert NAMED is not None
    news = replace(NEWS, named_before=NAMED + before)
    assert english in body(kind, news)
    assert dutch in body(kind, news, "nl")
    for same in (NAMED, None):
        assert english not in body(kind, replace(NEWS, named_before=same))


@pytest.mark.parametrize("kind", ["update", "received"])
def test_news_that_comes_later_than_promised_is_owned_up_to(kind: MessageKind) -> None:
    news = replace(NEWS, named_before=NOW - DAY)
    assert "You should have had a message from us by Sunday 22 November at 11:00; we are sorry" in body(kind, news)
    assert "het spijt ons dat het later komt" in body(kind, news, "nl")


def test_which_date_is_replaced_stands_beside_the_new_one() -> None:
    assert NAMED is not None
    news = replace(NEWS, late="answer", due=NOW - DAY, named_before=NAMED - 3 * DAY)
    (paragraph,) = [each for each in body("overdue", news).split("\n\n") if "hear from us" in each]
    assert paragraph.endswith("by then. This later date replaces Friday 27 November, which we named last time.")


@pytest.mark.parametrize(
    ("news", "english", "dutch"),
    [
        (
            replace(NEWS, promised=PROMISE),
            "For our next message this date takes the place of Friday 27 November.",
            "Voor ons volgende bericht komt deze datum in de plaats van vrijdag 27 november.",
        ),
        (
            replace(NEWS, promised=replace(PROMISE, before=NOW + DAY)),
            "For our next message this later date replaces Friday 27 November, which we named last time.",
            "Voor ons volgende bericht komt deze latere datum in de plaats van vrijdag 27 november, die we",
        ),
    ],
)
def test_the_date_of_our_next_message_is_not_taken_for_the_one_of_the_repair(
    news: News, english: str, dutch: str
) -> None:
    assert NAMED is not None
    news = replace(news, named_before=NAMED - 3 * DAY)
    assert english in body("promise", news)
    assert dutch in body("promise", news, "nl")


def test_the_last_message_replaces_no_date() -> None:
    news = replace(NEWS, final=True, named_before=NOW + DAY)
    assert "last time" not in compose(replace(planned("closed", news), next_news_by=None), CARDS, "en").body


def test_what_has_to_wait_names_no_moment_that_is_past_when_she_reads_it() -> None:
    soon = NOW + timedelta(hours=3)
    priced = replace(QUOTE, valid_until=soon)
    news = replace(NEWS, answer_owed=True, answer_owed_by=soon, quote=priced)
    at_once = planned("update", news)
    assert "you will get it by" in compose(at_once, CARDS, "en").body
    assert "The price holds" in compose(at_once, CARDS, "en").body
    tomorrow = compose(replace(at_once, leaves=NOW + DAY), CARDS, "en").body
    assert "you will get it from us" in tomorrow
    assert "The price holds" not in tomorrow
