"""What a word of the customer's is, as facts: an answer, a question, a yes or a no, or that she got in touch. Pure.

A yes or a no is never read out of a text: somebody has to say that it is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from events.contact import CustomerContacted, QuestionAnswered, QuestionAsked
from events.envelope import Event, make_event
from events.order import OrderReopened
from events.party import PartyError, check_party
from events.quote import QuoteAccepted, QuoteDeclined
from services.desk.problems import DeskError
from services.notifying.asking import open_questions, pause_for_her
from services.notifying.history import Happened, History
from services.notifying.newsworthy import open_quote

#: A question mark that ends a sentence, and not one in the middle of an address.
_QUESTION: Final = re.compile(r"[?？؟](?=[\s\"'”’»)\]]|$)")
_SENTENCE: Final = re.compile(r"[^.!?？؟\n]+[.!?？؟]*")

#: Ids that hold nothing personal are kept as they are; a Message-ID may hold her name.
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class Reply(BaseModel):
    """What was taken down from her, by mail or by a person at a desk.

    ``question``: it is one, whatever it looks like. ``answer`` names the question of ours that it answers, ``message``
    the message of ours that it replies to. ``at``: when she said it; now, without it. ``sender``: how its writer is
    called, which is kept out of the log like her name in the book.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    order: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    text: Annotated[str, StringConstraints(max_length=200_000)] = Field(default="", repr=False)
    channel: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")] = "email"
    id: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] | None = None
    question: bool = False
    answer: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] | None = None
    message: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] | None = None
    accept: bool = False
    decline: bool = False
    at: AwareDatetime | None = None
    sender: Annotated[str, StringConstraints(max_length=200)] = Field(default="", repr=False)


@dataclass(frozen=True)
class Said:
    """The facts that a reply became, under ``id``; none if they are in the log already."""

    id: str
    facts: tuple[Event, ...]


def speaker(reference: str | None) -> str:
    """The customer as one who says something, under the number that a party gave her."""
    try:
        return check_party(f"customer:{reference or 'unknown'}")
    except PartyError:
        return "customer:unknown"


def reply_id(reply: Reply, order: str, text: str, now: datetime) -> str:
    """By what the reply is known: its own id, else the order, the text and the day, so that a repeat adds nothing."""
    if reply.id is not None and _PLAIN_ID.fullmatch(reply.id):
        return reply.id
    words = [reply.id] if reply.id is not None else [order, text, reply.channel, f"{now:%Y-%m-%d}"]
    flags = "" if reply.id is not None else f"{reply.accept}{reply.decline}{reply.question}{reply.answer}"
    return "reply-" + blake2b("\0".join([*words, flags]).encode("utf-8", "replace"), digest_size=12).hexdigest()


def decide_reply(reply: Reply, text: str, history: History, now: datetime) -> Said:
    """The facts that ``reply`` becomes; ``text`` is what of it may go into the log. Raises DeskError."""
    source, id = speaker(history.customer), reply_id(reply, history.order, text, now)
    if any(fact.source == source and fact.id.startswith(f"{id}/") for fact in (*history.facts, *history.voided)):
        return Said(id, ())
    facts = [
        make_event(
            data.NAME,
            source=source,
            id=f"{id}/{data.NAME}",
            subject=history.order,
            time=now,
            recordedtime=now,
            data=data,
        )
        for data in _words(reply, text, history, id)
    ]
    happened = min(reply.at or now, now)
    # However long the letter took: the order is opened again now, after it was closed.
    return Said(
        id,
        tuple(
            fact if fact.name == OrderReopened.NAME else fact.model_copy(update={"time": happened}) for fact in facts
        ),
    )


def _words(reply: Reply, text: str, history: History, id: str) -> Iterator[Any]:
    if reply.accept and reply.decline:
        raise DeskError("she cannot accept and decline at once: leave out --accept or --decline")
    if not text and not (reply.accept or reply.decline):
        raise DeskError("there is no word of hers in it: write what she said")
    quote = open_quote(history)
    if (reply.accept or reply.decline) and quote is None:
        raise DeskError(f"no price waits for her yes or no on {history.order}: leave out --accept or --decline")
    asks = bool(text) and (reply.question or bool(_QUESTION.search(text)))
    answered = _answered(reply, text, history)
    if not history.open:
        yield OrderReopened(reason="the customer got in touch")
    if reply.accept and quote is not None:
        yield QuoteAccepted(quote=quote.data.get("quote"))
    if reply.decline and quote is not None:
        yield QuoteDeclined(quote=quote.data.get("quote"), reason=text or None)
    if answered is not None:
        yield QuestionAnswered(question=answered, text=text)
    if asks:
        yield QuestionAsked(question=f"{id}/question", text=text, to=history.accountable or None, channel=reply.channel)
    if text and not asks and answered is None and not reply.decline:
        yield CustomerContacted(channel=reply.channel, direction="inbound", summary=text)


def _answered(reply: Reply, text: str, history: History) -> str | None:
    """The question of ours that the text answers."""
    asked = _asked_of_her(history)
    if reply.answer is not None:
        if reply.answer not in asked:
            there_are = f"there is {', '.join(asked)}" if asked else "none is open"
            raise DeskError(f"no question {reply.answer} waits for her on {history.order}: {there_are}")
        if not text:
            raise DeskError("an answer needs a text: write what she said")
        return reply.answer
    if reply.question or reply.accept or reply.decline or not _says_something(text):
        return None
    replied_to = _cause(history, reply.message)
    for question, fact in asked.items():
        if replied_to is not None and replied_to == (fact.source, fact.id):
            return question
    return next(iter(asked)) if len(asked) == 1 else None


def _asked_of_her(history: History) -> dict[str, Happened]:
    """What waits for an answer of hers, by the question's id; work that waits for her asks, too."""
    asked = {str(fact.data.get("question")): fact for fact in open_questions(history)}
    pause = pause_for_her(history) if not asked else None
    return {pause.id: pause} if pause is not None else asked


def _cause(history: History, message: str | None) -> tuple[str, str] | None:
    """The fact that a message of ours told, by source and id."""
    return next((told.cause for told in history.told if told.id == message), None)


def _says_something(text: str) -> bool:
    """Whether there is more in it than questions and a salutation: asked back, a question is not answered."""
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(text)]
    return any(
        any(map(str.isalnum, sentence)) and not sentence.endswith(("?", "？", "؟", ",")) for sentence in sentences
    )
