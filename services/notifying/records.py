"""What the decisions about messages take and give: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Literal

from events.chain import MessageKind, MessagePlanned
from events.envelope import Event
from events.party import role_of
from projections.clock import WorkClock, promise_of_next_news
from projections.policies.amount import Amount
from projections.policies.messages import MessageRules
from projections.policy import DEFAULT_POLICY

#: One announced closure of a party: from, until.
Closure = tuple[datetime, datetime]

#: Where the item is, as far as the customer is told: no link of the chain has a name of its own.
Place = Literal["us", "service_centre", "workshop", "elsewhere"]

_PLACES: Final[dict[str, Place]] = {"importer": "service_centre", "repairer": "workshop"}

#: How the work on it ended, if it has.
Ending = Literal["repaired", "replaced", "failed", "declined"]

#: Things long past are not news any more.
STALE_AFTER: Final = timedelta(days=7)


def usual_promise(now: datetime, closures: Sequence[Closure] = ()) -> datetime:
    """The next news that can be promised ``now`` under the built-in policy, by a party with its calendar."""
    amount = DEFAULT_POLICY.resolve("update", "retailer:any").amount
    allowed = timedelta(microseconds=amount.microseconds(DEFAULT_POLICY.calendar.day_length))
    return promise_of_next_news(WorkClock.of(DEFAULT_POLICY.calendar).less(closures), now, allowed)


@dataclass(frozen=True)
class MessagePolicy:
    """What the operator decides about messages; ``promise``: the next news where no query says.

    ``most_silent``: after so many messages in a row without anything new a person gets in touch (0: never).
    ``after_missed_visit``: the longest that she is without news while a visit is missed.
    """

    promise: Callable[[datetime, Sequence[Closure]], datetime] = usual_promise
    stale_after: timedelta = STALE_AFTER
    most_silent: int = DEFAULT_POLICY.messages.most_silent
    after_missed_visit: Amount = DEFAULT_POLICY.messages.after_missed_visit

    def under(self, rules: Mapping[str, Any] | None) -> MessagePolicy:
        """This, as the policy that the chain has adopted has it (``rules`` as the query gives them)."""
        if not rules:
            return self
        adopted = MessageRules.model_validate({**DEFAULT_POLICY.messages.model_dump(), **rules})
        return replace(self, most_silent=adopted.most_silent, after_missed_visit=adopted.after_missed_visit)


@dataclass(frozen=True)
class Quote:
    """A price that the customer was asked about. ``description`` is a partner's free text."""

    id: str
    amount: Decimal
    currency: str
    valid_until: datetime | None = None
    description: str | None = None


@dataclass(frozen=True)
class Wrong:
    """A message that she got and that was not right."""

    kind: str
    at: datetime
    place: Place = "us"


@dataclass(frozen=True)
class Step:
    """Something that happened since she last heard from us: a fact by its name, with what may be told of it.

    ``text`` is a partner's free text.
    """

    name: str
    at: datetime
    word: str | None = None
    text: str | None = None
    item: str | None = None
    begin: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """What was answered to a question of hers. Both are free text of partners or of herself."""

    text: str
    question: str | None = None
    #: When it was due, if it came later.
    due: datetime | None = None


@dataclass(frozen=True)
class Question:
    """A question of hers that has come, and by when she has the answer, if that is known. ``text`` is her own."""

    text: str | None = None
    due: datetime | None = None


@dataclass(frozen=True)
class Promised:
    """A date that a party of the chain has named for a step (``kind``: forward, diagnose, repair, return, cover; None
    if it did not say which), and the one that it had named ``before``. ``what`` and ``reason`` are free text."""

    by: datetime
    before: datetime | None = None
    kind: str | None = None
    what: str | None = None
    reason: str | None = None
    #: The first of all that she was told, where it has moved before.
    first: datetime | None = None


@dataclass(frozen=True)
class Visit:
    """Somebody comes by in a window; ``before`` is the beginning of the window that it takes the place of."""

    begin: datetime
    end: datetime
    what: str | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class Cover:
    """Who pays: covered, not_covered or goodwill. ``cause`` and ``appeal`` are free text; ``changed``: she was told
    another decision before."""

    decision: str
    cause: str | None = None
    appeal: str | None = None
    changed: bool = False


@dataclass(frozen=True)
class Decision:
    """Her yes or no to a price (None: nobody knows to which); ``lapsed``: it came when the price held no longer."""

    yes: bool
    quote: Quote | None = None
    lapsed: bool = False


@dataclass(frozen=True)
class Other:
    """Another of the things in an order, by what it is called there, and how the work on it has ended, if it has."""

    item: str
    ending: Ending | None = None


@dataclass(frozen=True)
class News:
    """All that a message may draw on. ``why``, ``summary``, ``reason`` and ``questions`` are free text of partners: see
    discretion.py.

    ``asked`` is whether we wait for an answer of hers (a question without text is one that we may not pass on).
    ``taken_back`` are messages that this one has to put right; ``since`` is what happened since she last heard from us;
    ``silent`` is how many messages in a row had nothing new to tell before this one; ``chased`` is how often whoever
    has it was reminded since something last happened, and ``chased_at`` when last. ``others`` are the other things in
    the order, or all where it is about the whole. ``chosen``: after a repair that failed she has said something.
    ``uncalled``: she was told that a person will be in touch, and nobody was. ``tried``: it could not be
    repaired where it was first, and somebody else is to try.
    """

    status: str
    brand: str | None = None
    model: str | None = None
    description: str | None = None
    item: str | None = None
    place: Place = "us"
    heading_to_us: bool = False
    ending: Ending | None = None
    decided_to_repair: bool = False
    quote: Quote | None = None
    options: tuple[str, ...] = ()
    why: str | None = None
    summary: str | None = None
    reason: str | None = None
    outcome: str | None = None
    #: It was closed and is open again, and she has read nothing of its end.
    closed_untold: bool = False
    final: bool = False
    #: The work on it has ended elsewhere: it comes back to us first.
    comes_home: bool = False
    #: It is mended at her home: somebody said so, or visits her, or has mended it though it never came in anywhere.
    never_left: bool = False
    #: It was given back to her.
    with_her: bool = False
    #: Whoever mended it was with her that day.
    done_there: bool = False
    #: The work on all of it has ended where she has it, by somebody who came there.
    at_home: bool = False
    #: She has got in touch since the work ended.
    written_since: bool = False
    #: When it was to be sent on at the latest, if it has not been and no letter of its own has told her so.
    stalled_since: datetime | None = None
    #: By when what was given up while it was away is to be on its way to us.
    sent_home_by: datetime | None = None
    asked: bool = False
    paused: bool = False
    questions: tuple[str, ...] = ()
    answer_by: datetime | None = None
    taken_back: tuple[Wrong, ...] = ()
    since: tuple[Step, ...] = ()
    silent: int = 0
    last_fact_at: datetime | None = None
    tried: bool = False
    delay_over: bool = False
    expected_by: datetime | None = None
    expected_missed: datetime | None = None
    handed_at: datetime | None = None
    #: When the carrier delivered the parcel of an arrival that is overdue, by its own account.
    delivered_at: datetime | None = None
    due: datetime | None = None
    #: The kind of commitment that is overdue.
    late: str | None = None
    #: That step is our own: there is nobody whom we could have asked about it.
    ours: bool = False
    #: The date by which she was told that the repair is to be done, if it is still to come.
    repair_by: datetime | None = None
    #: She has asked something and has no answer yet; when the next is due, or the last was.
    answer_owed: bool = False
    answer_owed_by: datetime | None = None
    #: She has asked it since our last letter, and this one tells something else.
    asked_anew: bool = False
    #: The date of further news in the last letter that she got.
    named_before: datetime | None = None
    answer: Answer | None = None
    question: Question | None = None
    #: What is offered to make up for it: free text of partners.
    gesture: str | None = None
    promised: Promised | None = None
    visit: Visit | None = None
    cover: Cover | None = None
    #: The price that she was told before, where it is another one now.
    quote_before: Quote | None = None
    #: What she waits to have answered is that all is not well.
    complained: bool = False
    #: It is still to be decided whether the guarantee pays.
    cover_owed: bool = False
    decision: Decision | None = None
    others: tuple[Other, ...] = ()
    chosen: bool = False
    chased: int = 0
    chased_at: datetime | None = None
    uncalled: bool = False
    #: She has read that before.
    uncalled_still: bool = False
    #: As ``uncalled``, in a letter that begins with another delay.
    call_owed: bool = False
    #: By when a visit should have taken place that was missed, and for which there is no new time.
    visit_missed: datetime | None = None
    #: From when until when the next one is agreed on.
    visit_ahead: tuple[datetime, datetime] | None = None
    #: Numbers that she knows it by, too: it was entered twice, and she has not been told.
    other_numbers: tuple[str, ...] = ()
    #: When she is to be asked whether all is well.
    check_at: datetime | None = None
    closed_from: datetime | None = None
    closed_until: datetime | None = None
    #: The same of whoever has it, where that is somebody else and the work is to go on there.
    away_from: datetime | None = None
    away_until: datetime | None = None


@dataclass(frozen=True)
class MessagePlan:
    """A message that should be told, before it is put into words. ``customer`` is the reference, never a name."""

    message: str
    order: str
    kind: MessageKind
    trigger_source: str
    trigger_id: str
    accountable: str
    opener: str
    customer: str
    now: datetime
    next_news_by: datetime | None
    news: News
    parties: frozenset[str] = field(default_factory=frozenset)
    corrects: tuple[str, ...] = ()
    #: Until when it has to wait, if it must not leave at once.
    leaves: datetime | None = None

    @property
    def read_from(self) -> datetime:
        """When she may read it at the earliest."""
        return self.leaves or self.now


@dataclass(frozen=True)
class PlannedMessage:
    """A message as the log has it: worded, but without name and address."""

    order: str
    planned: MessagePlanned

    @property
    def message(self) -> str:
        return self.planned.message

    @property
    def kind(self) -> MessageKind:
        return self.planned.kind

    @classmethod
    def of(cls, event: Event) -> PlannedMessage:
        """Read a message.planned. Raises pydantic.ValidationError if it is none."""
        return cls(event.subject, MessagePlanned.model_validate(event.data))


SuppressReason = Literal[
    "closed",
    "overtaken",
    "met",
    "not_hers",
    "corrected",
    "stale",
    "no_customer",
    "no_contact",
    "no_channel",
    "not_wanted",
    "paused",
    "forgotten",
]


@dataclass(frozen=True)
class Send:
    """It is still true and still news: tell it."""


@dataclass(frozen=True)
class Suppress:
    """Do not tell it, and why."""

    reason: SuppressReason


def place_of(party: str, accountable: str) -> Place:
    """Where something is that ``party`` has, as the accountable party tells it."""
    return "us" if party == accountable else _PLACES.get(role_of(party), "elsewhere")


def message_id(order: str, trigger_source: str, trigger_id: str, kind: str) -> str:
    """The id of the one message of ``kind`` that this fact can ever cause: safe as a file name and as a bucket key."""
    text = "\0".join((order, trigger_source, trigger_id, kind))
    return "msg-" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
