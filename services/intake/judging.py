"""The decisions about a batch, and the answers to what of it is in the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nats.aio.msg import Msg

from events.envelope import Event
from events.log import Appended
from services.intake.contacts import contact_in
from services.intake.deciding import Accept, Duplicate, decide
from services.intake.delivered import party_of, sequence_of
from services.intake.faults import problem_of
from services.intake.index import Index
from services.intake.limbo import Limbo
from services.intake.problems import Refusal
from services.intake.reading_ahead import ReadSubmission
from services.intake.receipts import Outcome
from services.intake.settling import Answers, Rejection


@dataclass(slots=True)
class Decided:
    """A batch after its decisions: what to append, and what to answer."""

    accepted: list[tuple[Msg, Accept]] = field(default_factory=list)
    duplicates: list[tuple[Msg, Duplicate]] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    by_number: bool = False  # some name their orders by a number that others may have given to another order since


def judge(batch: Iterable[tuple[Msg, ReadSubmission]], index: Index, limbo: Limbo, now: datetime) -> Decided:
    """Decide on a batch, each as if those before it were in the log; ``index`` remembers them until it is told to
    forget."""
    decided = Decided()
    refused: list[tuple[Msg, Refusal, str | None, dict[str, Any], Event | None]] = []
    submissions = [(message, *submission) for message, submission in batch]
    index.prepare(event for *_, event, _ in submissions if isinstance(event, Event))
    for message, document, id, event, checked in submissions:
        if isinstance(event, Refusal):
            refused.append((message, event, id, document, None))
            continue
        decided.by_number |= event.subjectkind is not None
        try:
            outcome = decide(event, party_of(message), index, now, checked)
        except Refusal as refusal:
            # What was read of it holds the refusal, which holds this frame: the whole batch would wait for the garbage.
            refused.append((message, refusal.alone(), id, document, event))
            continue
        if isinstance(outcome, Duplicate):
            decided.duplicates.append((message, outcome))
        else:
            index.expect(outcome.event)
            decided.accepted.append((message, outcome))
    # All at once, which takes less time than one here and one there among those that are accepted.
    for message, why, id, document, told in refused:
        party = party_of(message)
        problem = limbo.judged(problem_of(why, id, document, told), message.headers)
        order = "" if told is None else told.subject
        decided.rejected.append(Rejection(message, party, order, problem, contact_in(document, party), told))
    return decided


def answers_to(decided: Decided, places: Sequence[Appended], index: Index) -> Answers:
    """The receipts of those that are in the log: accepted, which are at ``places``, and duplicates."""
    answers = Answers()
    for (message, accept), place in zip(decided.accepted, places, strict=True):
        event = accept.event
        outcome: Outcome = "duplicate" if place.duplicate else "accepted"
        answers.to(message).add(
            event.source,
            sequence_of(message),
            event.id,
            outcome,
            order=event.subject,
            position=place.position,
        )
    for message, duplicate in decided.duplicates:
        party = party_of(message)
        position = duplicate.position or index.position_of(party, duplicate.id)
        sequence, receipts = sequence_of(message), answers.to(message)
        receipts.add(party, sequence, duplicate.id, "duplicate", order=duplicate.order, position=position)
    return answers
