"""The short form of a message, for a text on her telephone: every kind in every language, and how it is sent."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from statistics import median
from unittest.mock import Mock

import pytest

from events.chain import MessageKind
from services.contact import Channel, Contact, is_for_texts
from services.notifying.dates import SPEECH
from services.notifying.outcomes import Failed
from services.notifying.phrases import says_sorry_first
from services.notifying.records import Answer, Cover, MessagePlan, News, PlannedMessage, Visit, Wrong
from services.notifying.templating import TemplateFaultError, our_templates
from services.notifying.texting import AIM, TextForm, text_form, text_form_by, texts_together
from services.notifying.waiting import AgainLaterError
from services.notifying.wording import compose
from services.parties import PartyCard
from tests.about import about
from tests.sampling import some
from tests.services.notifying import letters, texts
from tests.services.notifying.chain import OPENED, ORDER, SHOP, Chain
from tests.services.notifying.letters import (
    CARDS,
    COVER,
    DAY,
    KINDS,
    LANGUAGES,
    LAST_WORD,
    LATE,
    NEWS,
    NOW,
    QUOTE,
    is_a_delay,
    is_on_its_way_home,
    planned,
    wrong_words,
)
from tests.services.notifying.post import ANNA, Post, always_true, extra, teller
from tests.services.notifying.test_every_letter import TEXTS_OF_PARTNERS, every_news

DOCUMENT = Path(__file__).parents[3] / "docs/messages.md"

#: No text has more characters of our own than this, whatever the names are that it has to tell.
LONGEST = 1_200

#: Names as long as they come.
LONG_CARD = PartyCard(
    display_name="Juweliers Van der Vlugt & Dochters aan de Brugstraat",
    phone="+31 (0)20 555 01 01 toestel 2",
    email="reparaties@juweliersvandervlugtendochters.example",
    person="mevrouw Van der Vlugt-Hoogeveen",
)
LONG_BRAND, LONG_MODEL = "Vandenbroucke & Zonen", "Automatique Chronographe 1887 limited"
LONG_ITEM = "left-hand lamp by the garden gate"

SMS = Channel(kind="sms", address="+31600000000")
BY_TEXT = ANNA.model_copy(update={"channels": (SMS,)})
BOTH = ANNA.model_copy(update={"channels": (SMS, *ANNA.channels)})

_QUOTED = re.compile(r"“[^”]*”")
#: What may end a line.
_ENDS = (".", "?", "!", "…", "”", ":")


def own_words(text: str) -> str:
    return _QUOTED.sub("“…”", text)


def problems(form: TextForm, plan: MessagePlan, language: str) -> list[str]:
    """All that is wrong with a text of Juno's, with the text; nothing if it may leave."""
    text, letter, found = form.text, compose(plan, CARDS, language), []
    lines, speech = text.split("\n"), SPEECH[language]

    def expect(holds: object, what: str) -> None:
        if not holds:
            found.append(f"{what}\n{text}")

    for what in wrong_words(text):
        expect(False, what)
    expect(lines[0] == "Juno Watches:", "not who writes")
    expect(form.gist == lines[1] and form.gist, "not what happened after that")
    expect("020 555 01 01" in lines[-1] and ORDER in lines[-1], "not where to call at the end")
    expect(all(line.endswith(_ENDS) and line[0] in f"“{line[0].upper()}" for line in lines), "a line that is cut off")
    expect(text.count("“") == text.count("”"), "a quotation that is cut off")
    expect(
        not re.search(r"://|www\.|\bDear\b|\bBeste\b|\bregards\b|groet", text), "a link, a salutation or a signature"
    )
    if plan.next_news_by is not None:
        expect(speech.when(plan.next_news_by, NOW) in text, "no date of the next news")
    elif is_on_its_way_home(plan):
        due = plan.news.sent_home_by
        expect(due is None or speech.day(due, NOW) in text, "no date of its way home")
    elif plan.news.late != "answer" and not plan.news.answer_owed:
        last = speech.day(plan.news.check_at, NOW) if plan.news.check_at else LAST_WORD[language]
        expect(last in text, "neither a date nor the last word")
    if is_a_delay(plan):
        expect(says_sorry_first(form.gist, language), "a delay, and not sorry first")
    told = f"{letter.subject}\n{letter.body}"
    named = {*_QUOTED.findall(text), *re.findall(r"\S*\d\S*[^\s.,:;()?]", text)}
    expect(
        not (more := {each for each in named if each.strip("“”().,:;") not in told}),
        f"what is not in the letter: {more}",
    )
    expect(len(own_words(text)) <= LONGEST, "too long")
    return found


def checked(plan: MessagePlan, language: str) -> None:
    form = text_form(plan, CARDS, language)
    assert not (found := problems(form, plan, language)), "\n\n".join(found)


# -- their words ------------------------------------------------------------------------------------------------------


def test_there_is_one_for_every_kind_in_every_language() -> None:
    assert {f"{code}/{kind}.text.j2" for code in LANGUAGES for kind in KINDS} <= our_templates()


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_that_people_have_read(language: str) -> None:
    assert texts.written(language) == texts.file_of(language).read_text(encoding="utf-8"), (
        "python -m tests.services.notifying.texts"
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_text_that_there_can_be(kind: MessageKind, language: str) -> None:
    for news in some(every_news(), 30):
        if not news.final or kind in ("closed", "corrected", "ready", "check", "update", "answer", "visit", "cover"):
            checked(planned(kind, news), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_delay(language: str) -> None:
    for late in LATE:
        for news in (NEWS, replace(NEWS, ending="repaired", heading_to_us=True), replace(NEWS, never_left=True)):
            with about(late):
                due = replace(news, late=late, handed_at=NOW - 5 * DAY, due=NOW - 3 * DAY, closed_from=NOW - DAY)
                checked(planned("overdue", replace(due, closed_until=NOW + 3 * DAY)), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "news"),
    [
        ("received", replace(NEWS, place="us", quote=replace(QUOTE, valid_until=NOW - DAY))),
        ("ready", replace(NEWS, ending="repaired", place="us", final=True, check_at=NOW + 2 * DAY)),
        ("closed", replace(NEWS, outcome="declined", final=True, comes_home=True, sent_home_by=NOW + 3 * DAY)),
    ],
)
def test_what_is_still_to_come_is_in_the_text_as_in_the_letter(kind: MessageKind, news: News, language: str) -> None:
    plan = planned(kind, news)
    checked(plan, language)
    assert not (found := letters.problems(compose(plan, CARDS, language), plan)), "\n\n".join(found)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", TEXTS_OF_PARTNERS)
def test_whatever_partners_write(text: str | None, language: str) -> None:
    asked = (text, text) if text else ()
    news = replace(
        NEWS,
        why=text,
        summary=text,
        reason=text,
        questions=asked,
        asked=bool(asked),
        gesture=text,
        answer=Answer(text, text) if text else None,
        cover=Cover("not_covered", text, text),
        visit=Visit(NOW + DAY, NOW + 2 * DAY, text),
    )
    for kind in KINDS:
        checked(planned(kind, news), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_longer_than_that(language: str) -> None:
    cards = {**CARDS, SHOP: LONG_CARD}
    for kind in KINDS:
        for news in some(every_news(), 80):
            news = replace(news, brand=LONG_BRAND, model=LONG_MODEL, item=LONG_ITEM)
            plan = replace(planned(kind, news), order="2026-REP-0001234567")
            assert len(own_words(text_form(plan, cards, language).text)) <= LONGEST


@pytest.mark.parametrize("language", LANGUAGES)
def test_half_of_the_examples_are_about_as_long_as_is_aimed_at(language: str) -> None:
    lengths = [len(text) for _, text in texts.read_by_people(language)]
    assert median(lengths) <= AIM + 20


def test_a_text_reads_as_the_document_has_it() -> None:
    told = text_form(planned("quote"), CARDS, "en").text
    assert told.startswith("Juno Watches:\nThe repair of your Halden Meridian 36 costs €1,185.00, tax included.")
    assert f"```\n{told}\n```" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_she_has_to_know_is_in_the_text_itself_however_long_it_is(language: str) -> None:
    answer = "It runs for two days. " * 40
    told = text_form(planned("answer", replace(NEWS, answer=Answer(answer))), CARDS, language).text
    assert answer.strip().rstrip(".") in told
    questions = ("Which strap would you like, and " + "which buckle, " * 8 + "please?", "And the colour?")
    told = text_form(planned("question", replace(NEWS, questions=questions, asked=True)), CARDS, language).text
    assert all(f"“{question}”" in told for question in questions)
    told = text_form(planned("cover", replace(NEWS, cover=COVER)), CARDS, language).text
    assert "tell us within four weeks why you see it otherwise" in told


def test_many_mistakes_are_not_told_one_by_one() -> None:
    wrong = tuple(Wrong(kind, NOW - 2 * DAY) for kind in KINDS)
    told = text_form(planned("corrected", replace(NEWS, taken_back=wrong)), CARDS, "en").text
    assert "Not all was right that we wrote to you on Saturday 21 November, and we are sorry." in told


def test_nobody_is_asked_to_reply_to_a_number_that_nobody_reads() -> None:
    told = text_form(planned("opened"), {SHOP: PartyCard(display_name="Juno")}, "en").text
    assert told.endswith("Please get in touch with us (repair W-1001).")


def test_a_shop_may_have_its_own(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    own = tmp_path / "en/opened.text.j2"
    own.write_text(DOCUMENT.read_text(encoding="utf-8").split("```jinja\n")[2].partition("```")[0])
    told = text_form(planned("opened"), CARDS, "en", templates=tmp_path).text
    assert "\nWe have your Halden Meridian 36.\nOur Sanne has a look at it.\n" in told
    own.write_text("{{ us }}: we have it (repair {{ order }}). More by {{ next_news }}.")
    with pytest.raises(TemplateFaultError, match="✂ does not stand before and behind what happened"):
        text_form_by(planned("opened"), CARDS, "en", tmp_path)
    own.write_text("{{ us }}:✂ we have it (repair {{ order }}). ✂")
    with pytest.raises(TemplateFaultError, match="date of the next news"):
        text_form_by(planned("opened"), CARDS, "en", tmp_path)
    assert text_form(planned("opened"), CARDS, "en", templates=tmp_path) == text_form(planned("opened"), CARDS, "en")


# -- several in one ---------------------------------------------------------------------------------------------------


def together(language: str, *told: tuple[MessageKind, News]) -> str:
    forms = [text_form(planned(kind, news), CARDS, language) for kind, news in told]
    return texts_together(forms[:-1], forms[-1], language)


def test_several_are_one_text_with_one_date() -> None:
    done = replace(NEWS, ending="repaired", place="workshop")
    assert together("en", ("repaired", done), ("ready", replace(done, place="us"))) == (
        "Juno Watches:\n"
        "Good news: your Halden Meridian 36 has been repaired. "
        "Your Halden Meridian 36 has been repaired and is here with us, ready for you.\n"
        "You are welcome during our opening hours.\n"
        "You hear from us by Monday 30 November at 17:00, if it is still here then.\n"
        "Questions? Call 020 555 01 01 (repair W-1001)."
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_we_are_sorry_for_comes_first(language: str) -> None:
    told = together(language, ("received", NEWS), ("overdue", NEWS))
    assert says_sorry_first(told.split("\n")[1], language)


def test_that_an_answer_is_late_is_said_once() -> None:
    told = together("en", ("overdue", replace(NEWS, late="answer")), ("received", replace(NEWS, answer_owed=True)))
    assert "you are still waiting for our answer" in told
    assert "we owe you an answer" not in told


# -- how they are sent ------------------------------------------------------------------------------------------------


async def planned_only(chain: Chain, contact: Contact) -> tuple[Post, PlannedMessage]:
    """The opening as it is planned for her, on the way to a service that rests; and a post office that is open."""
    chain.given(OPENED)
    writer = teller(chain, contact)
    resting = Mock(wraps=writer.delivery, ready_in=lambda kind: 60.0)
    with pytest.raises(AgainLaterError):
        await replace(writer, sender=replace(writer.sender, delivery=resting)).plan(OPENED)
    return Post(chain, contact=contact), PlannedMessage.of(chain.named("message.planned")[0])


def body_shown(chain: Chain, message: str) -> object:
    """What ``messages`` shows of it, asked for by its order and among all."""
    found = [chain.query("messages", {"order": order, "limit": 9})["messages"] for order in (ORDER, None)]
    one, other = (next(row["body"] for row in rows if row["message_id"] == message) for rows in found)
    assert one == other
    return one


async def test_a_text_leaves_without_salutation_subject_and_page(chain: Chain) -> None:
    post, planned = await planned_only(chain, BY_TEXT)
    assert body_shown(chain, planned.message) == planned.planned.text, "what is to go"
    await post.sender().deliver(ORDER, planned.message)
    (letter,) = post.box.sent
    assert (letter.kind, letter.subject, letter.html) == ("sms", "", None)
    assert letter.text.startswith("Juno Horloges:\nThank you for turning to us with your Halden Meridian.")
    assert "Anna" not in letter.text
    assert body_shown(chain, planned.message) == letter.text, "what was really sent"


async def test_where_the_text_fails_for_good_the_letter_is_whole(chain: Chain) -> None:
    post, planned = await planned_only(chain, BOTH)
    post.box.answers = [Failed("json_404", again=False)]
    await post.sender().deliver(ORDER, planned.message)
    (letter,) = post.box.sent
    assert letter.kind == "email"
    assert letter.text == f"Dear Anna de Wit,\n\n{planned.planned.body}\n"
    assert letter.html is not None
    assert letter.short == planned.planned.text, "for a shop that writes to her itself"
    assert body_shown(chain, planned.message) == planned.planned.body


async def test_several_in_a_row_are_one_text(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifying.gathering.decide_delivery", always_true)
    post, first = await planned_only(chain, BY_TEXT)
    form = {"text": "Juno Horloges:\nIt has arrived.\nMore by Friday.", "gist": "It has arrived."}
    second = extra(chain, PlannedMessage(ORDER, first.planned.model_copy(update=form)), "msg-2")
    await post.sender().deliver(ORDER, second.message)
    (letter,) = post.box.sent
    assert letter.text == f"Juno Horloges:\n{first.planned.gist} It has arrived.\nMore by Friday."
    assert body_shown(chain, "msg-2") == letter.text
    assert body_shown(chain, first.message) == first.planned.gist


async def test_what_was_planned_before_she_had_a_telephone_goes_as_a_letter(chain: Chain) -> None:
    _, planned = await planned_only(chain, ANNA)
    assert (planned.planned.text, planned.planned.gist) == (None, None)
    post = Post(chain, contact=BY_TEXT)
    await post.sender().deliver(ORDER, planned.message)
    (letter,) = post.box.sent
    assert (letter.kind, letter.subject) == ("sms", planned.planned.subject)
    assert letter.text == f"Dear Anna de Wit,\n\n{planned.planned.body}\n"


def test_which_channels_are_for_texts() -> None:
    assert [kind for kind in ("email", "sms", "whatsapp", "signal", "telegram", "webhook") if is_for_texts(kind)] == [
        "sms",
        "whatsapp",
        "signal",
        "telegram",
    ]
