"""What the tracker and the parties say about themselves: closures, stalls, messages to the customer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from events.envelope import Identifier, Moment
from events.facet import Fact, Prose, Text
from events.party import Party

#: Ids of commitments and messages are made of other ids, so they may be longer than those.
Key = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
MessageKind = Literal[
    "opened",
    "received",
    "quote",
    "question",
    "repaired",
    "failed",
    "ready",
    "closed",
    "reopened",
    "overdue",
    "update",
    "check",
    "corrected",
    "answer",
    "promise",
    "visit",
    "cover",
    "decision",
    "person",
    "asked",
    "gesture",
]


class PartyClosed(Fact):
    """A party announces that it is closed; due times skip that span. The event's subject is the party."""

    NAME: ClassVar[str] = "party.closed"

    closed_from: Moment = Field(alias="from")
    closed_until: Moment = Field(alias="until")
    reason: Prose | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closed_until <= self.closed_from:
            raise ValueError("'until' must be later than 'from'")
        return self


class PartyBriefed(Fact):
    """A party was given its daily list, with so many of each on it. Said once a day; the event's subject is the party.

    ``day`` is the party's own, in its time zone.
    """

    NAME: ClassVar[str] = "party.briefed"

    day: date
    #: Open orders for which it answers to the customer.
    open: int = Field(ge=0)
    #: What is late: on those orders, or owed by this party.
    overdue: int = Field(ge=0)
    #: Questions of customers that wait for an answer.
    asked: int = Field(ge=0)
    #: Customers whom it has to call.
    calls: int = Field(ge=0)


class CommitmentOverdue(Fact):
    """A due time passed. Said once per commitment, level and due time: of a new date it is said anew."""

    NAME: ClassVar[str] = "commitment.overdue"

    commitment: Key
    kind: Text
    level: int = Field(ge=1)
    owed_by: Party
    due: Moment
    #: Whom this level concerns, of owner, accountable, customer and person; without it, everybody.
    tell: tuple[Text, ...] | None = None


class CommitmentNudged(Fact):
    """Most of the time is gone and the commitment is not met: whoever owes it was reminded. Said once per due time."""

    NAME: ClassVar[str] = "commitment.nudged"

    commitment: Key
    kind: Text
    owed_by: Party
    due: Moment


class CommitmentWithdrawn(Fact):
    """What was said to be overdue was not: a fact that came in later shows that it was met, or not owed, by then."""

    NAME: ClassVar[str] = "commitment.withdrawn"

    commitment: Key
    kind: Text
    owed_by: Party
    level: int = Field(ge=1)
    #: When it was met, or had ceased to be owed.
    ended_at: Moment


class PolicyAdopted(Fact):
    """From here on this policy holds: how long everything may take. The event's subject is ``chain:policy``.

    ``policy`` is its canonical form (projections/policy.py), ``digest`` tells it apart.
    """

    NAME: ClassVar[str] = "policy.adopted"

    digest: Text
    policy: dict[str, Any]


class MessagePlanned(Fact):
    """We intend to tell the customer this. The body holds no name and no address: the salutation comes at delivery.

    ``corrects`` names the earlier messages that it takes back; ``story`` is the part of the body that tells what
    happened, for a letter that tells several things at once. ``text`` is the short form, for a text on her telephone,
    and ``gist`` the line of it that tells what happened; both only where one of her channels is for texts.
    """

    NAME: ClassVar[str] = "message.planned"

    message: Key
    kind: MessageKind
    trigger_source: Party
    trigger_id: Identifier
    language: Text
    channel: Text
    subject: Prose
    body: Prose
    next_news_by: Moment | None = None
    corrects: tuple[Key, ...] | None = None
    story: Prose | None = None
    text: Prose | None = None
    gist: Prose | None = None


class MessageAttempted(Fact):
    """We are about to hand the message to a channel, for the ``attempt``-th time; ``after``: why not the last time."""

    NAME: ClassVar[str] = "message.attempted"

    message: Key
    kind: MessageKind
    attempt: int = Field(ge=1)
    channel: Text
    after: Text | None = None


class MessageSent(Fact):
    """The customer was told this; in the letter of the message ``letter``, if that told several things at once."""

    NAME: ClassVar[str] = "message.sent"

    message: Key
    kind: MessageKind
    channel: Text
    language: Text
    subject: Prose
    body: Prose
    next_news_by: Moment | None = None
    letter: Key | None = None


class MessageFailed(Fact):
    """The message could not be delivered, for good."""

    NAME: ClassVar[str] = "message.failed"

    message: Key
    kind: MessageKind
    reason: Prose


class MessageUnknown(Fact):
    """Nobody knows whether the message arrived, and sending it again might tell her twice: a person has to look."""

    NAME: ClassVar[str] = "message.unknown"

    message: Key
    kind: MessageKind
    channel: Text
    reason: Prose


class MessageSuppressed(Fact):
    """The message was not sent, on purpose: events had overtaken it, say."""

    NAME: ClassVar[str] = "message.suppressed"

    message: Key
    kind: MessageKind
    reason: Prose


def commitment_id(kind: str, order: str, source: str, id: str) -> str:
    """The name of what the fact ``(source, id)`` of ``order`` opened; in SQL the macro of that name."""
    return "/".join((kind, order, source, id))


FACTS: tuple[type[Fact], ...] = (
    PartyClosed,
    PartyBriefed,
    CommitmentOverdue,
    CommitmentNudged,
    CommitmentWithdrawn,
    PolicyAdopted,
    MessagePlanned,
    MessageAttempted,
    MessageSent,
    MessageFailed,
    MessageUnknown,
    MessageSuppressed,
)
