"""Between the customer and the chain: questions, calls, visits, feedback, gestures."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from events.envelope import Identifier, Moment
from events.facet import Fact, Prose, Text

Direction = Literal["inbound", "outbound"]


class QuestionAsked(Fact):
    """A question, either way, open until it is answered; ``to`` is a party or ``customer``, ``channel`` how it came."""

    NAME: ClassVar[str] = "question.asked"

    question: Identifier
    text: Prose
    to: Text | None = None
    due: Moment | None = None
    channel: Text | None = None


class QuestionAnswered(Fact):
    """The answer itself. "It is busy" is none."""

    NAME: ClassVar[str] = "question.answered"

    question: Identifier
    text: Prose


class CustomerContacted(Fact):
    """A contact beside our own messages; inbound means that the customer had to start it."""

    NAME: ClassVar[str] = "customer.contacted"

    channel: Text
    direction: Direction
    summary: Prose | None = None


class VisitScheduled(Fact):
    """Somebody comes by, in a window."""

    NAME: ClassVar[str] = "visit.scheduled"

    visit: Identifier
    window_from: Moment = Field(alias="from")
    window_until: Moment = Field(alias="until")
    what: Prose | None = None


class VisitDone(Fact):
    """The visit took place."""

    NAME: ClassVar[str] = "visit.done"

    visit: Identifier
    result: Prose | None = None


class FeedbackGiven(Fact):
    """What the customer says of it; ``holds`` tells whether the repair holds, ``score`` runs from 0 to 10."""

    NAME: ClassVar[str] = "feedback.given"

    holds: bool | None = None
    score: int | None = Field(default=None, ge=0, le=10)
    text: Prose | None = None


class GestureOffered(Fact):
    """Something small to make up for it."""

    NAME: ClassVar[str] = "gesture.offered"

    gesture: Identifier
    what: Prose


class GestureGiven(Fact):
    """The gesture reached her."""

    NAME: ClassVar[str] = "gesture.given"

    gesture: Identifier
    what: Prose | None = None


FACTS: tuple[type[Fact], ...] = (
    QuestionAsked,
    QuestionAnswered,
    CustomerContacted,
    VisitScheduled,
    VisitDone,
    FeedbackGiven,
    GestureOffered,
    GestureGiven,
)
