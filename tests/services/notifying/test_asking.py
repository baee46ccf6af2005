"""What the chain wants to know from her is asked, and every message remembers that we wait for her."""

from __future__ import annotations

import pytest

from events.envelope import Event
from services.messages import concerns_her
from services.notifying.records import Send, Suppress
from tests.services.notifying.chain import (
    AT_IMPORTER,
    AT_REPAIRER,
    DAY,
    FAILED,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    QUOTE,
    REPAIRER,
    SHOP,
    TO_IMPORTER,
    TO_REPAIRER,
    Chain,
    body_of,
    fact,
    kind_of,
)

ASKED_AT = MONDAY + DAY + HOUR / 2
STRAP = fact("question.asked", IMPORTER, ASKED_AT, question="s", to="customer", text="Which strap would you like?")
ANSWER = fact("question.answered", SHOP, ASKED_AT + 2 * DAY, question="s", text="leather")
PAUSED = fact("work.paused", IMPORTER, ASKED_AT + HOUR, waiting_for="customer", why="the lock has a code")
OUT = (OPENED, TO_IMPORTER, AT_IMPORTER)


def tell(chain: Chain, *events: Event) -> list[str | None]:
    return [chain.tell(event) for event in events]


def test_a_question_to_her_is_asked_in_its_own_words(chain: Chain) -> None:
    chain.story(*OUT)
    plan = chain.given(STRAP).plan_for(STRAP)
    assert kind_of(plan) == "question"
    assert "we need your answer to this question: “Which strap would you like?”" in body_of(plan)
    assert "uw antwoord op deze vraag: “Which strap would you like?”" in body_of(plan, "nl")
    assert "also if you have not answered by then" in body_of(plan)


def test_a_question_that_names_a_link_of_the_chain_is_asked_in_ours(chain: Chain) -> None:
    chain.story(*OUT)
    text = "Did Noord tell you about the strap?"
    asked = fact(
        "question.asked", IMPORTER, ASKED_AT, question="s", to="customer:C-77", text=text, due="2026-11-06T16:00Z"
    )
    body = body_of(chain.given(asked).plan_for(asked))
    assert "Noord" not in body
    assert "we need to know something that only you can tell us. Please contact us, and we will explain." in body
    assert "We would like to hear from you by Friday 6 November at 17:00." in body


def test_questions_between_partners_are_not_hers(chain: Chain) -> None:
    chain.story(*OUT)
    for question, by_itself in (
        (fact("question.asked", IMPORTER, ASKED_AT, id="x1", question="x", text="?", to=REPAIRER), True),
        # To whoever answers to her: if that is the importer, it is a question of hers.
        (fact("question.asked", IMPORTER, ASKED_AT, id="x2", question="x", text="?"), False),
    ):
        assert concerns_her(question) is not by_itself
        assert chain.tell(question) is None


def test_a_pause_for_her_asks_her(chain: Chain) -> None:
    chain.story(*OUT)
    plan = chain.given(PAUSED).plan_for(PAUSED)
    assert kind_of(plan) == "question"
    assert "The repair of your Halden Meridian is waiting for you. What it is about: “the lock has a code”" in body_of(
        plan
    )


@pytest.mark.parametrize("waiting_for", ["part", "importer", "other"])
def test_a_pause_for_anything_else_does_not(chain: Chain, waiting_for: str) -> None:
    chain.story(*OUT)
    pause = fact("work.paused", IMPORTER, ASKED_AT, waiting_for=waiting_for)
    assert not concerns_her(pause)
    assert chain.tell(pause) is None


@pytest.mark.parametrize(
    "asking", [STRAP, FAILED, QUOTE, fact("work.paused", IMPORTER, ASKED_AT, waiting_for="customer")]
)
def test_a_pause_adds_nothing_to_what_she_was_asked(chain: Chain, asking: Event) -> None:
    chain.story(*OUT, asking)
    pause = fact("work.paused", IMPORTER, MONDAY + 3 * DAY + HOUR, waiting_for="customer")
    assert chain.tell(pause) is None


def test_a_second_question_is_asked_with_the_first(chain: Chain) -> None:
    chain.story(*OUT, STRAP)
    second = fact("question.asked", SHOP, ASKED_AT + HOUR, question="b", to="customer", text="Which buckle?")
    assert "- “Which strap would you like?”\n- “Which buckle?”" in body_of(chain.given(second).plan_for(second))


def test_progress_does_not_drown_a_question(chain: Chain) -> None:
    chain.story(*OUT)
    chain.given(STRAP, TO_REPAIRER, AT_REPAIRER)
    message = chain.planned(STRAP)
    assert message.kind == "question"
    assert chain.plan_for(AT_REPAIRER) is None
    assert chain.verdict_on(message) == Send()


def test_a_question_that_was_answered_meanwhile_is_not_asked(chain: Chain) -> None:
    chain.story(*OUT)
    message = chain.given(STRAP).planned(STRAP)
    chain.given(ANSWER)
    assert chain.verdict_on(message) == Suppress("overtaken")


def test_other_messages_remember_the_question(chain: Chain) -> None:
    chain.story(*OUT, STRAP)
    chain.given(TO_REPAIRER)
    (late,) = chain.falls_overdue("receive", MONDAY + 7 * DAY)
    assert "We are still waiting for an answer from you: “Which strap would you like?”" in body_of(chain.plan_for(late))
    received = body_of(chain.given(AT_REPAIRER).plan_for(AT_REPAIRER))
    assert "We are still waiting for an answer from you: “Which strap would you like?”" in received
    assert "We wachten nog op een antwoord van u: “Which strap would you like?”" in body_of(
        chain.plan_for(AT_REPAIRER), "nl"
    )


@pytest.mark.parametrize(
    ("asking", "words"),
    [
        (STRAP, "is waiting for an answer from you. What we would like to know: “Which strap would you like?”"),
        (PAUSED, "is waiting for an answer from you. What it is about: “the lock has a code”"),
    ],
)
def test_an_update_says_that_we_wait_for_her(chain: Chain, asking: Event, words: str) -> None:
    chain.story(*OUT, asking)
    (silence,) = chain.falls_overdue("update", MONDAY + 12 * DAY)
    assert words in body_of(chain.plan_for(silence))


def test_once_she_answered_nobody_waits_for_her(chain: Chain) -> None:
    chain.story(*OUT, STRAP, PAUSED, ANSWER)
    (silence,) = chain.falls_overdue("update", MONDAY + 12 * DAY)
    body = body_of(chain.plan_for(silence))
    assert "- Thursday 5 November: we got your answer." in body
    assert "Where it stands: we have your answer about your Halden Meridian, and are seeing to the next step." in body
    assert "waits for" not in body


def test_what_the_work_waits_for_ends_as_a_sentence_does(chain: Chain) -> None:
    chain.story(*OUT)
    plan = chain.given(PAUSED).plan_for(PAUSED)
    assert "What it is about: “the lock has a code”.\n" in body_of(plan)
    assert "Waar het om gaat: “the lock has a code”.\n" in body_of(plan, "nl")
    chain.tell(PAUSED)
    reminder = chain.plan_for(chain.falls_overdue("update", MONDAY + 12 * DAY)[-1])
    assert "What it is about: “the lock has a code”.\n" in body_of(reminder)
