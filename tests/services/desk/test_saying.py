"""Given an order's story, when she says something, then these facts come of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.envelope import Event
from services.desk.problems import DeskError
from services.desk.saying import Reply, Said, decide_reply, speaker
from services.notifying.history import History
from tests.services.notifying.chain import DAY, HOUR, MONDAY, ORDER, REPAIRER, SHOP, Chain, closed, fact, opened

NOW = MONDAY + 2 * DAY


def when(chain: Chain, *facts: Event, text: str = "It ticks again.", **reply: Any) -> Said:
    chain.given(opened(), *facts)
    return decide_reply(Reply(order=ORDER, text=text, **reply), text, History.of(chain.timeline), NOW)


def said(reply: Said) -> list[tuple[str, dict[str, Any]]]:
    return [(each.name, each.data) for each in reply.facts]


def asked(id: str, at: Any = MONDAY + HOUR, to: str = "customer") -> Event:
    return fact("question.asked", SHOP, at, id=f"asked {id}", question=id, text=f"Which {id}?", to=to)


def test_a_word_of_hers_is_a_contact_that_she_started(chain: Chain) -> None:
    reply = when(chain, channel="phone")
    assert said(reply) == [
        ("customer.contacted", {"channel": "phone", "direction": "inbound", "summary": "It ticks again."})
    ]
    (contacted,) = reply.facts
    assert (contacted.source, contacted.subject, contacted.time) == ("customer:C-77", ORDER, NOW)


@pytest.mark.parametrize(
    "text", ["When is it done?", "Hello,\nwhen is it done? Regards", "Is it done (really?)", "好吗？"]
)
def test_a_question_is_asked_of_whoever_answers_to_her(chain: Chain, text: str) -> None:
    ((name, data),) = said(when(chain, text=text, channel="visit"))
    assert name == "question.asked"
    assert (data["to"], data["text"], data["channel"]) == (SHOP, text, "visit")


def test_a_question_opens_a_commitment_to_answer(chain: Chain) -> None:
    reply = when(chain, text="When is it done?")
    chain.given(*reply.facts)
    owed = [row for row in chain.timeline["commitments"] if row["kind"] == "answer"]
    assert [(row["owner"], row["owed_to"], row["state"]) for row in owed] == [(SHOP, "customer:C-77", "open")]


@pytest.mark.parametrize("text", ["See https://shop.example/?order=1", "He said what?! Never mind.x"])
def test_not_every_question_mark_asks(chain: Chain, text: str) -> None:
    assert [name for name, _ in said(when(chain, text=text))] == ["customer.contacted"]


def test_a_question_is_one_where_somebody_says_so(chain: Chain) -> None:
    assert [name for name, _ in said(when(chain, text="Tell me when it is done", question=True))] == ["question.asked"]


def test_it_answers_the_one_question_that_is_open(chain: Chain) -> None:
    reply = when(chain, asked("strap"), text="The brown one.")
    assert said(reply) == [("question.answered", {"question": "strap", "text": "The brown one."})]
    chain.given(*reply.facts)
    assert [row["state"] for row in chain.timeline["commitments"] if row["kind"] == "answer"] == ["met"]


def test_a_question_to_a_party_is_not_hers_to_answer(chain: Chain) -> None:
    reply = when(chain, asked("strap", to=REPAIRER), text="The brown one.")
    assert [name for name, _ in said(reply)] == ["customer.contacted"]


def test_of_two_questions_one_has_to_be_named(chain: Chain) -> None:
    questions = (asked("strap"), asked("crown", MONDAY + 2 * HOUR))
    assert [name for name, _ in said(when(chain, *questions, text="The brown one."))] == ["customer.contacted"]


def test_a_question_is_answered_by_its_id(chain: Chain) -> None:
    questions = (asked("strap"), asked("crown", MONDAY + 2 * HOUR))
    reply = when(chain, *questions, text="The brown one.", answer="strap")
    assert said(reply) == [("question.answered", {"question": "strap", "text": "The brown one."})]


def test_a_letter_answers_the_question_that_it_replies_to(chain: Chain) -> None:
    chain.given(opened())
    first, second = asked("strap"), asked("crown", MONDAY + 2 * HOUR)
    chain.given(first)
    message = chain.told(first, MONDAY + HOUR)
    chain.given(second)
    chain.told(second, MONDAY + 2 * HOUR)
    reply = Reply(order=ORDER, text="The brown one.", message=message.message)
    found = decide_reply(reply, reply.text, History.of(chain.timeline), NOW)
    assert said(found) == [("question.answered", {"question": "strap", "text": "The brown one."})]


def test_a_question_that_is_asked_back_answers_none(chain: Chain) -> None:
    assert [name for name, _ in said(when(chain, asked("strap"), text="Hello,\nwhen is it done?"))] == [
        "question.asked"
    ]


def test_an_answer_with_a_question_in_it_is_both(chain: Chain) -> None:
    reply = when(chain, asked("strap"), text="The brown one. When is it done?")
    assert [name for name, _ in said(reply)] == ["question.answered", "question.asked"]


def test_work_that_waits_for_her_is_answered(chain: Chain) -> None:
    pause = fact("work.paused", SHOP, MONDAY + HOUR, waiting_for="customer", why="which strap?")
    reply = when(chain, pause, text="The brown one.")
    assert said(reply) == [("question.answered", {"question": pause.id, "text": "The brown one."})]


def test_a_yes_is_never_guessed(chain: Chain) -> None:
    quoted = fact("quote.offered", SHOP, MONDAY + HOUR, quote="Q-1", amount="80.00", currency="EUR")
    assert [name for name, _ in said(when(chain, quoted, text="Yes, I accept."))] == ["customer.contacted"]


@pytest.mark.parametrize(
    ("flags", "text", "expected"),
    [
        ({"accept": True}, "", [("quote.accepted", {"quote": "Q-1"})]),
        ({"decline": True}, "Too dear.", [("quote.declined", {"quote": "Q-1", "reason": "Too dear."})]),
    ],
)
def test_a_yes_or_a_no_is_said_in_so_many_words(
    chain: Chain, flags: dict[str, bool], text: str, expected: list[Any]
) -> None:
    quoted = fact("quote.offered", SHOP, MONDAY + HOUR, quote="Q-1", amount="80.00", currency="EUR")
    assert said(when(chain, quoted, text=text, **flags)) == expected


def test_a_word_about_a_closed_order_opens_it_again(chain: Chain) -> None:
    reply = when(chain, closed(MONDAY + DAY), text="It has stopped again. What now?", at=MONDAY + HOUR)
    assert [name for name, _ in said(reply)] == ["order.reopened", "question.asked"]
    chain.given(*reply.facts)
    assert chain.timeline["order"]["open"] is True  # though the letter was written before it was closed


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ({"text": ""}, "write what she said"),
        ({"accept": True}, "no price waits"),
        ({"accept": True, "decline": True}, "at once"),
        ({"answer": "colour"}, "no question colour waits"),
    ],
)
def test_what_cannot_be_is_told(chain: Chain, reply: dict[str, Any], problem: str) -> None:
    with pytest.raises(DeskError, match=problem):
        when(chain, **reply)


def test_the_same_word_on_the_same_day_is_one(chain: Chain) -> None:
    first = when(chain, asked("strap"), text="The brown one.")
    chain.given(*first.facts)
    again = when(chain, text="The brown one.")  # now that nothing waits for her it would be something else
    assert (again.id, again.facts) == (first.id, ())
    tomorrow = decide_reply(Reply(order=ORDER), "The brown one.", History.of(chain.timeline), NOW + timedelta(days=1))
    assert tomorrow.facts


def test_the_same_id_is_the_same_word(chain: Chain) -> None:
    first = when(chain, id="call-17")
    assert first.id == "call-17"
    chain.given(*first.facts)
    assert when(chain, text="Something else.", id="call-17").facts == ()


def test_an_id_that_may_tell_who_she_is_is_not_kept(chain: Chain) -> None:
    reply = when(chain, id="<zo.unlikely.17@mail.example>")
    assert "unlikely" not in str(reply).casefold()
    chain.given(*reply.facts)
    assert when(chain, id="<zo.unlikely.17@mail.example>").facts == ()


def test_a_clock_that_runs_ahead_is_not_believed(chain: Chain) -> None:
    (contacted,) = when(chain, at=NOW + DAY).facts
    assert contacted.time == NOW
    (earlier,) = when(chain, at=NOW - HOUR, id="other").facts
    assert (earlier.time, earlier.recordedtime) == (NOW - HOUR, NOW)


@pytest.mark.parametrize("reference", [None, "x" * 200, " C"])
def test_who_has_no_number_that_is_a_name_is_unknown(reference: str | None) -> None:
    assert speaker(reference) == "customer:unknown"
