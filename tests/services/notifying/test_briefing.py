"""Daily lists: what the log keeps of one, how it reads, and that a party gets one a day and never two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, get_args

import jsonschema
import nats.errors
import orjson
import pytest

from events.asyncapi import asyncapi
from events.chain import MessageKind
from events.envelope import Event, make_event
from events.log import Appended, NotFirstError
from events.streams import declare_streams
from events.subjects import notices_subject
from projections.policies.words import KINDS
from services.answering import NoAnswerError
from services.contact import Channel, Contact
from services.delivery import AppriseDelivery
from services.notices import DailyList, Notice
from services.notifying.briefing import EVERY, Briefer, fact_of, letter_of, notice_of, whose
from services.notifying.dates import SPEECH
from services.notifying.letter import Letter
from services.notifying.listing import worded_list
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown
from services.notifying.templating import _environment
from services.parties import PartyCard
from tests.chainserver import ChainServer, refusals
from tests.logged import read_order
from tests.services.notifying.chain import (
    DAY,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    ORDER,
    SHOP,
    TO_IMPORTER,
    Chain,
    fact,
    received,
)
from tests.services.notifying.street import Street
from tests.waiting import eventually

NINE = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)  # on the Tuesday after MONDAY, where the shop is
CARDS = {
    SHOP: PartyCard(display_name="Juno Watches", email="service@juno.example"),
    IMPORTER: PartyCard(display_name="Noord Import", language="nl"),
}
LISTING: dict[str, Any] = {
    "party": SHOP,
    "day": "2026-11-23",
    "time_zone": "Europe/Amsterdam",
    "since": "2026-11-19T23:00:00Z",
    "totals": {"overdue": 0, "asked": 0, "calls": 0, "contacts": 0, "open": 0, "owed": 0},
    **{part: [] for part in ("overdue", "asked", "calls", "contacts", "orders", "owed")},
}
NOW = datetime(2026, 11, 23, 8, 1, tzinfo=UTC)
LINE: dict[str, Any] = {"order": "W-1", "reference": "4711", "product": "Halden Meridian"}
OWED: dict[str, Any] = LINE | {
    "kind": "receive",
    "topic": None,
    "owner": IMPORTER,
    "accountable": SHOP,
    "opened_at": "2026-11-17T10:00:00Z",
    "due_at": "2026-11-19T10:00:00Z",
    "state": "overdue",
    "overdue_seconds": 94 * 3600 + 60,
}


def listing(party: str = SHOP, **parts: list[dict[str, Any]]) -> dict[str, Any]:
    totals = {("open" if part == "orders" else part): len(rows) for part, rows in parts.items()}
    return LISTING | {"party": party, "totals": LISTING["totals"] | totals} | parts


def in_language(code: str) -> dict[str, PartyCard]:
    return CARDS | {SHOP: CARDS[SHOP].model_copy(update={"language": code})}


# -- decisions --------------------------------------------------------------------------------------------------------


def test_who_is_not_registered_hears_of_no_list() -> None:
    rows = [{"party": SHOP, "due": True}, {"party": IMPORTER, "due": False}, {"party": "retailer:gone", "due": True}]
    assert [row["party"] for row in whose(rows, CARDS)] == [SHOP]


def test_the_fact_says_how_much_was_on_the_list_and_is_named_after_its_day() -> None:
    given = fact_of(listing(overdue=[OWED, OWED], orders=[OWED]), NOW)
    assert (given.id, given.source, given.subject) == (f"briefed:{SHOP}:2026-11-23", "chain:notifier", SHOP)
    assert given.data == {"day": "2026-11-23", "open": 1, "overdue": 2, "asked": 0, "calls": 0}
    later = fact_of(LISTING, NOW + HOUR)
    assert later.id == given.id
    assert fact_of(LISTING | {"day": "2026-11-24"}, NOW).id != given.id


def test_the_notice_is_the_list_as_data() -> None:
    notice = notice_of(LISTING, NOW)
    said = orjson.loads(notice.model_dump_json())
    assert said == {
        "notice": "daily.list",
        "kind": "list",
        "party": SHOP,
        "day": "2026-11-23",
        "at": "2026-11-23T08:01:00Z",
        "list": LISTING,
    }
    described = asyncapi()["components"]["messages"]["notice"]["payload"]
    jsonschema.validate(said, described)
    assert set(described["properties"]) == {*Notice.model_fields, *DailyList.model_fields}


def test_the_letter_has_one_name_for_a_party_and_a_day() -> None:
    letter = letter_of(LISTING, CARDS, NOW)
    assert letter is not None
    assert (letter.to_address, letter.to_name, letter.from_name) == (
        "service@juno.example",
        "Juno Watches",
        "repairchain",
    )
    again = letter_of(listing(overdue=[OWED]), CARDS, NOW + HOUR)
    assert again is not None
    assert again.message == letter.message
    tomorrow = letter_of(LISTING | {"day": "2026-11-24"}, CARDS, NOW)
    assert tomorrow is not None
    assert tomorrow.message != letter.message
    assert letter_of(listing(IMPORTER), CARDS, NOW) is None  # its card has no address


# -- words ------------------------------------------------------------------------------------------------------------


def test_a_list_read_aloud() -> None:
    question = LINE | {
        "owner": SHOP,
        "asked_at": "2026-11-20T10:00:00Z",
        "due_at": "2026-11-23T10:00:00Z",
        "state": "open",
        "overdue_seconds": None,
        "text": "Does it cost\nanything?",
    }
    call = LINE | {
        "opened_at": "2026-11-20T15:00:00Z",
        "due_at": "2026-11-23T11:00:00Z",
        "state": "open",
        "overdue_seconds": None,
        "message_kind": "quote",
        "reason": "smtp_550",
    }
    contact = LINE | {"contacted_at": "2026-11-20T12:30:00Z", "party": IMPORTER, "channel": "phone", "text": None}
    ball = OWED | {"order": "W-2", "reference": None, "owner": SHOP, "kind": "forward", "overdue_seconds": None}
    ball["topic"] = "lamp 2"  # of several things in that order
    found = listing(
        overdue=[OWED, OWED | {"owner": SHOP, "kind": "part", "topic": "stem", "overdue_seconds": 7000}],
        asked=[question],
        calls=[call],
        contacts=[contact],
        orders=[ball, LINE | {"order": "W-3", "kind": None, "owner": None, "due_at": None, "overdue_seconds": None}],
        owed=[OWED | {"order": "B-9", "owner": SHOP, "accountable": "retailer:bolt", "due_at": None}],
    )
    found["totals"]["overdue"] = 14
    words = worded_list(found, CARDS, NOW)
    assert words.subject == "Your list for Monday 23 November: 14 late, 1 question, 1 to call"
    assert words.text == (
        "This is the list of Juno Watches for Monday 23 November.\n"
        "Open orders: 2. Late: 14. Questions of customers that wait for an answer: 1. Customers to call: 1.\n"
        "\n"
        "To call: a message did not arrive, or we said that a person will be in touch\n"
        "- W-1 (your 4711), Halden Meridian. Due Monday 23 November at 12:00. What the customer was to hear: a price.\n"
        "\n"
        "Late, the longest first\n"
        "- W-1 (your 4711), Halden Meridian: Noord Import was to say that it came in. "
        "Due Thursday 19 November at 11:00, 4 days late.\n"
        "- W-1 (your 4711), Halden Meridian: you were to have the part (stem). "
        "Due Thursday 19 November at 11:00, 2 hours late.\n"
        "- and 12 more\n"
        "\n"
        "Asked by customers, and not answered yet\n"
        "- W-1 (your 4711), Halden Meridian: “Does it cost anything?” Asked on Friday 20 November at 11:00; "
        "you are to answer. Due Monday 23 November at 11:00.\n"
        "\n"
        "Customers who got in touch since Friday 20 November\n"
        "- W-1 (your 4711), Halden Meridian: Friday 20 November at 13:30, by phone, with Noord Import: "
        "Nothing was written down.\n"
        "\n"
        "Open orders, and whose move it is\n"
        "- W-2, Halden Meridian: you are to send it on (lamp 2). Due Thursday 19 November at 11:00.\n"
        "- W-3 (your 4711), Halden Meridian: nothing is owed.\n"
        "\n"
        "What you owe on orders of others, and are not late with\n"
        "- B-9 (your 4711), Halden Meridian, of bolt: say that it came in. "
        "Due once the customer has answered, 4 days late.\n"
        "\n"
        "This list comes once a day, when you are open. As it is at any moment: repairchain today retailer:juno\n"
    )


def test_what_she_has_and_nothing_is_owed_of_any_more_is_to_be_closed() -> None:
    nothing = dict.fromkeys(("kind", "topic", "owner", "opened_at", "due_at", "state", "overdue_seconds"))
    for cards, said in ((CARDS, "you are to close the order."), (in_language("nl"), "u moet de opdracht afsluiten.")):
        line = LINE | nothing | {"status": "returned", "to_close": True}
        assert f"Halden Meridian: {said}\n" in worded_list(listing(orders=[line]), cards, NOW).text


def test_what_stays_at_her_home_is_not_to_be_sent_on() -> None:
    ball = OWED | {"owner": SHOP, "kind": "forward", "at_home": True}
    for cards, said, not_said in (
        (CARDS, "plan a visit", "send it on"),
        (in_language("nl"), "een bezoek plannen", "doorsturen"),
    ):
        text = worded_list(listing(orders=[ball]), cards, NOW).text
        assert said in text
        assert not_said not in text


def test_a_list_with_nothing_late_says_so() -> None:
    words = worded_list(LISTING, in_language("nl-BE"), NOW)
    assert (words.language, words.subject) == ("nl", "Uw lijst van maandag 23 november: niets is te laat")
    assert worded_list(LISTING, CARDS, NOW).subject == "Your list for Monday 23 November: nothing is late"


@pytest.mark.parametrize("code", sorted(SPEECH))
def test_every_kind_of_commitment_and_message_has_words(code: str) -> None:
    words = vars(_environment(None).get_template(f"{code}/list.words.j2").module)
    assert set(words["todo"]) == set(KINDS)
    assert set(words["messages"]) == set(get_args(MessageKind))


@pytest.mark.parametrize("code", sorted(SPEECH))
def test_what_partners_write_stays_on_its_line(code: str) -> None:
    nasty = "a\n- b\n\n<b>c</b> {{ d }} ⏎" + "x" * 2_000
    row = OWED | {"order": nasty, "product": nasty, "reference": nasty, "topic": nasty, "kind": "part"}
    contact = LINE | {"contacted_at": "2026-11-20T12:30:00Z", "party": IMPORTER, "channel": nasty, "text": nasty}
    words = worded_list(listing(overdue=[row], contacts=[contact]), in_language(code), NOW)
    lines = words.text.splitlines()
    assert sum(line.startswith("- ") for line in lines) == 2
    assert max(map(len, lines)) < 2_000
    assert "{{ d }}" in words.text
    assert "<b>" not in words.html


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("en", " The customer was forgotten: there is no way to call or write to her."),
        ("nl", " De gegevens van de klant zijn gewist: bellen of schrijven kan niet meer."),
    ],
)
def test_nobody_is_sent_to_call_one_who_asked_and_was_forgotten(code: str, said: str) -> None:
    def text(forgotten: bool) -> str:
        hers = LINE | {"text": "When?", "customer_forgotten": forgotten}
        asked = hers | {"owner": SHOP, "asked_at": "2026-11-20T10:00:00Z", "due_at": "2026-11-24T10:00:00Z"}
        contact = hers | {"contacted_at": "2026-11-20T12:30:00Z", "party": SHOP, "channel": "phone"}
        late = OWED | {"kind": "answer", "owner": SHOP, "customer_forgotten": forgotten}
        return worded_list(listing(asked=[asked], contacts=[contact], overdue=[late]), in_language(code), NOW).text

    assert text(True).count(said) == 3
    assert text(True).replace(said, "") == text(False)


def test_a_list_is_read_in_the_party_s_own_time() -> None:
    far = listing(overdue=[OWED]) | {"time_zone": "Pacific/Auckland"}
    assert "Due Thursday 19 November at 23:00" in worded_list(far, CARDS, NOW).text


def test_an_operator_s_own_words_are_used_and_ours_where_they_fail(tmp_path: Path) -> None:
    def templates(name: str, **files: str) -> Path:
        folder = tmp_path / name
        (folder / "en").mkdir(parents=True)
        for part, text in files.items():
            (folder / "en" / f"list.{part}.j2").write_text(text, encoding="utf-8")
        return folder

    found, ours = listing(overdue=[OWED]), worded_list(listing(overdue=[OWED]), CARDS, NOW)
    good = templates("good", subject="{{ totals.overdue }} late at {{ name }}")
    own = worded_list(found, CARDS, NOW, templates=good)
    assert (own.subject, own.text) == ("1 late at Juno Watches", ours.text)
    bad = templates("bad", subject="{{ name }}", body="{{ nothing_of_that_name }}")
    assert worded_list(found, CARDS, NOW, templates=bad) == ours


# -- the doer ---------------------------------------------------------------------------------------------------------


@dataclass
class Postbox:
    """A mail service that answers what it is told to."""

    answers: list[Outcome] = field(default_factory=list)
    sent: list[Letter] = field(default_factory=list)
    attempts: int = 0

    def routes(self, contact: Contact, accountable: str) -> tuple[Channel, ...]:
        return contact.channels

    def ready_in(self, kind: str) -> float:
        return 0.0

    def repeats_harmlessly(self, kind: str) -> bool:
        return False

    async def send(self, letter: Letter) -> Outcome:
        self.attempts += 1
        outcome = self.answers.pop(0) if self.answers else Delivered()
        if isinstance(outcome, Delivered):
            self.sent.append(letter)
        return outcome


class Office:
    """A log in memory under real read models, and a briefer at work on it. ``breaks`` names what fails."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.box = Postbox()
        self.notices: list[tuple[str, DailyList]] = []
        self.breaks: set[str] = set()
        self.forgotten: set[tuple[str, str]] = set()

    async def ask(self, name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        if name in self.breaks:
            raise NoAnswerError("the projector does not run")
        return await self.chain.ask(name, args, at_least)

    async def append(self, event: Event, after: int) -> Appended:
        if "append" in self.breaks:
            raise nats.errors.TimeoutError
        there = [
            place
            for place, each in enumerate(self.chain.events, start=1)
            if (each.name, each.subject) == (event.name, event.subject)
        ]
        if max(there, default=0) != after:
            raise NotFirstError
        return await self.chain.append(event)

    async def notify(self, party: str, notice: DailyList) -> None:
        if "notify" in self.breaks:
            raise nats.errors.ConnectionClosedError
        self.notices.append((party, notice))

    def briefer(self, cards: dict[str, PartyCard] = CARDS) -> Briefer:
        position = self.chain.last_position
        return Briefer(self.ask, self.append, position, self.notify, self.box, lambda: cards, self.is_forgotten)

    async def is_forgotten(self, opener: str, customer: str) -> bool:
        if "book" in self.breaks:
            raise nats.errors.TimeoutError
        return (opener, customer) in self.forgotten

    @property
    def given(self) -> list[tuple[str, str]]:
        return [(event.subject, event.data["day"]) for event in self.chain.named("party.briefed")]


@pytest.fixture
def office(chain: Chain) -> Office:
    chain.given(OPENED, TO_IMPORTER)
    return Office(chain)


async def test_a_list_is_given_once_a_day_when_the_doors_have_opened(office: Office) -> None:
    briefer = office.briefer()
    assert await briefer.look(NINE) == 0
    assert await briefer.look(NINE + timedelta(minutes=1)) == 1
    for hours in range(1, 15):
        assert await briefer.look(NINE + timedelta(hours=hours)) == 0
    assert await briefer.look(NINE + DAY + timedelta(minutes=1)) == 1
    assert office.given == [(SHOP, "2026-11-03"), (SHOP, "2026-11-04")]
    assert [(party, notice.day) for party, notice in office.notices] == [
        (SHOP, date(2026, 11, 3)),
        (SHOP, date(2026, 11, 4)),
    ]
    assert len({letter.message for letter in office.box.sent}) == 2


async def test_it_says_whom_nobody_can_tell_any_more_and_names_no_customer(office: Office) -> None:
    late = NINE + 8 * DAY + HOUR
    for forgotten in (False, True):
        office.forgotten = {(SHOP, "C-77")} if forgotten else set()
        briefer = office.briefer()
        assert await briefer.look(late + forgotten * DAY) > 0
        notice = next(notice for party, notice in reversed(office.notices) if party == SHOP)
        marks = {row["kind"]: row["customer_forgotten"] for row in notice.list["overdue"]}
        assert marks == {"receive": None, "update": forgotten}
        text = next(letter.text for letter in reversed(office.box.sent) if letter.to_address == "service@juno.example")
        assert text.count("The customer was forgotten: there is nobody to tell.") == forgotten
        assert "C-77" not in notice.model_dump_json()
        assert "C-77" not in text


async def test_where_nobody_can_say_who_was_forgotten_the_list_is_given_all_the_same(office: Office) -> None:
    office.breaks = {"book"}
    assert await office.briefer().look(NINE + 8 * DAY + HOUR) > 0
    marks = [row["customer_forgotten"] for _, notice in office.notices for row in notice.list["overdue"]]
    assert set(marks) == {None}


def test_a_call_to_a_customer_who_was_forgotten_in_dutch() -> None:
    call = {name: OWED[name] for name in ("opened_at", "due_at", "state", "overdue_seconds")}
    rows = [LINE | call | {"message_kind": "repaired", "customer_forgotten": True}]
    text = worded_list(listing(calls=rows), in_language("nl"), NOW).text
    assert "De gegevens van de klant zijn gewist: er is niemand om het te laten weten." in text


async def test_who_is_late_gets_a_list_though_it_answers_for_nothing(office: Office) -> None:
    office.chain.given(fact("order.closed", SHOP, MONDAY + 2 * HOUR, outcome="repaired"))
    assert await office.briefer().look(NINE + 3 * DAY + HOUR) == 0
    office.chain.given(
        fact("order.reopened", SHOP, MONDAY + 3 * HOUR), fact("item.handed_over", SHOP, MONDAY + 4 * HOUR, to=IMPORTER)
    )
    assert await office.briefer().look(NINE + 3 * DAY + HOUR) == 2
    notice = dict(office.notices)[IMPORTER]
    assert [row["kind"] for row in notice.list["overdue"]] == ["receive"]
    assert notice.list["totals"]["open"] == 0
    assert len(office.box.sent) == 1  # the importer's card has no address


async def test_it_is_asked_once_a_minute(office: Office) -> None:
    briefer = office.briefer()
    begin = NINE + timedelta(minutes=1)
    office.breaks.add("briefing")
    assert await briefer.look(begin) == 0
    office.breaks.clear()
    assert await briefer.look(begin + EVERY / 2) == 0
    assert await briefer.look(begin + EVERY) == 1


async def test_when_nobody_answers_it_is_asked_again_at_once(office: Office) -> None:
    briefer = office.briefer()
    office.breaks.add("briefings")
    with pytest.raises(NoAnswerError):
        await briefer.look(NINE + HOUR)
    office.breaks.clear()
    assert await briefer.look(NINE + HOUR) == 1


async def test_of_two_that_look_at_once_one_gives_the_list(office: Office) -> None:
    both = await asyncio.gather(*(office.briefer().look(NINE + HOUR) for _ in range(2)))
    assert sorted(both) == [0, 1]
    assert (len(office.given), len(office.notices), len(office.box.sent)) == (1, 1, 1)


async def test_one_that_slept_on_an_old_answer_gives_none(office: Office) -> None:
    """Between the question and the fact anything may happen: another notifier, or a day's sleep of this one."""
    slow, released = office.briefer(), asyncio.Event()
    ask = office.ask

    async def late(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        answer = await ask(name, args, at_least)
        if name == "briefing":
            await released.wait()
        return answer

    slow.ask = late
    asleep = asyncio.create_task(slow.look(NINE + HOUR))
    assert await office.briefer().look(NINE + HOUR) == 1
    released.set()
    assert await asleep == 0
    assert (len(office.given), len(office.notices), len(office.box.sent)) == (1, 1, 1)


async def test_without_the_fact_there_is_no_list(office: Office) -> None:
    briefer = office.briefer()
    office.breaks.add("append")
    assert await briefer.look(NINE + HOUR) == 0
    assert (office.notices, office.box.attempts) == ([], 0)
    office.breaks.clear()
    assert await briefer.look(NINE + HOUR + EVERY) == 1


async def test_the_letter_goes_out_though_the_notice_does_not(office: Office) -> None:
    office.breaks.add("notify")
    assert await office.briefer().look(NINE + HOUR) == 1
    assert len(office.box.sent) == 1


async def test_what_the_mail_server_did_not_take_is_offered_again_until_the_day_is_over(office: Office) -> None:
    briefer = office.briefer()
    office.box.answers = [Failed("smtp_451"), Failed("smtp_451"), Delivered()]
    for minutes in range(5):
        await briefer.look(NINE + HOUR + minutes * EVERY)
    assert (office.box.attempts, len(office.box.sent), len(office.notices)) == (3, 1, 1)
    office.box.answers = [Failed("smtp_451")]
    await briefer.look(NINE + DAY + HOUR)
    await briefer.look(NINE + 2 * DAY + HOUR)
    assert [letter.subject for letter in office.box.sent] == [
        "Your list for Tuesday 3 November: nothing is late",
        "Your list for Thursday 5 November: 1 late",
    ]


@pytest.mark.parametrize("outcome", [Failed("bad_address", again=False), Unknown("smtp_timeout")])
async def test_what_may_have_arrived_or_never_will_is_not_sent_again(office: Office, outcome: Outcome) -> None:
    briefer = office.briefer()
    office.box.answers = [outcome]
    for minutes in range(3):
        await briefer.look(NINE + HOUR + minutes * EVERY)
    assert office.box.attempts == 1


async def test_a_party_whose_list_cannot_be_made_keeps_no_other_from_its_own(office: Office) -> None:
    office.chain.given(
        make_event(
            "order.opened",
            source="retailer:bolt",
            id="b1",
            subject="B-1",
            time=MONDAY,
            recordedtime=MONDAY,
            data={"product": {}},
        )
    )
    ask = office.ask

    async def broken(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        if args.get("party") == "retailer:bolt":
            raise ValueError("a fault")
        return await ask(name, args, at_least)

    briefer = office.briefer(CARDS | {"retailer:bolt": PartyCard(display_name="Bolt")})
    briefer.ask = broken
    assert await briefer.look(NINE + HOUR) == 1
    assert office.given == [(SHOP, "2026-11-03")]


async def test_once_it_is_stopped_no_list_is_begun(office: Office) -> None:
    briefer = office.briefer()
    await briefer.stop()
    assert await briefer.look(NINE + HOUR) == 0
    assert office.given == []


# -- on a real server -------------------------------------------------------------------------------------------------


@pytest.fixture
async def street(chain_server: ChainServer, chain: Chain, tmp_path: Path) -> AsyncIterator[Street]:
    connection = await chain_server.connect("keeper")
    js = connection.jetstream()
    await declare_streams(js)
    yield Street(chain_server, js, chain, tmp_path / "outbox")
    assert refusals(chain_server.home) == []


async def given_lists(street: Street) -> list[Event]:
    return [stored.event for stored in await read_order(street.js, SHOP)]


def has_given(street: Street, lists: int) -> Callable[[], Any]:
    async def there() -> bool:
        return len(await given_lists(street)) >= lists

    return there


async def test_two_notifiers_and_a_restart_make_one_list_a_day(street: Street) -> None:
    shop = await street.server.connect(SHOP)
    notices = await shop.subscribe(notices_subject(SHOP))
    await shop.flush()
    await street.said(OPENED, TO_IMPORTER, received(IMPORTER, MONDAY + HOUR))
    street.clock.set(NINE + HOUR)
    async with street.notifying(daily_list=True) as one, street.notifying(daily_list=True) as other:
        await asyncio.gather(one.round(), other.round())
        await eventually(has_given(street, 1))
        first = orjson.loads((await notices.next_msg(timeout=5)).data)
    async with street.notifying(daily_list=True) as again:  # a restart
        await again.round()
        street.clock.set(NINE + 3 * HOUR)
        await again.round()
        assert len(await given_lists(street)) == 1
        street.clock.set(NINE + DAY + HOUR)
        await again.round()
        await eventually(has_given(street, 2))
        second = orjson.loads((await notices.next_msg(timeout=5)).data)
        await again.round()
    assert (first["notice"], first["day"], second["day"]) == ("daily.list", "2026-11-03", "2026-11-04")
    assert [row["order"] for row in first["list"]["orders"]] == [ORDER]
    assert [event.data["day"] for event in await given_lists(street)] == ["2026-11-03", "2026-11-04"]
    with pytest.raises(nats.errors.TimeoutError):
        await notices.next_msg(timeout=0.05)
    lists = [
        letter
        for file in street.outbox.glob("list-*.eml")
        for letter in [message_from_bytes(file.read_bytes(), policy=policy.default)]
    ]
    assert len(lists) == 2
    assert {letter["To"] for letter in lists} == {"Juno Horloges <service@juno.example>"}
    assert {letter.get_content_type() for letter in lists} == {"multipart/alternative"}


async def test_without_the_setting_there_are_no_lists(street: Street) -> None:
    await street.said(OPENED)
    street.clock.set(NINE + HOUR)
    async with street.notifying() as notifier:
        await notifier.round()
    assert await given_lists(street) == []


async def test_a_list_by_mail_names_nobody_s_address_in_the_log(street: Street) -> None:
    await street.said(OPENED)
    street.clock.set(NINE + HOUR)
    delivery = AppriseDelivery("outbox://", outbox=street.outbox, sender="repairs@chain.example")
    async with street.notifying(delivery, daily_list=True) as notifier:
        await notifier.round()
    (given,) = await given_lists(street)
    assert set(given.data) == {"day", "open", "overdue", "asked", "calls"}
    assert b"juno.example" not in given.to_json()


@pytest.mark.parametrize(
    ("paused_for", "en", "nl"),
    [
        (["customer"], "the customer has answered", "de klant heeft geantwoord"),
        (["cover"], "it is decided who pays", "is besloten wie betaalt"),
        (
            ["customer", "cover"],
            "the customer has answered and it is decided who pays",
            "de klant heeft geantwoord en is besloten wie betaalt",
        ),
        (["item"], "the item has come in", "het artikel binnen is"),
    ],
)
def test_a_line_says_what_it_is_paused_for(paused_for: list[str], en: str, nl: str) -> None:
    row = OWED | {"kind": "forward", "due_at": None, "state": "paused", "overdue_seconds": None}
    listing = LISTING | {"owed": [row | {"paused_for": paused_for}], "totals": LISTING["totals"] | {"owed": 1}}
    for language, said in (("en", f"Due once {en}."), ("nl", f"Zodra {nl}.")):
        assert said in worded_list(listing, {SHOP: PartyCard(display_name="Juno", language=language)}, NOW).text
