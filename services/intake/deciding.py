"""The decision about one submission: a fact, a duplicate, or a refusal. Pure: look-ups and time come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol

from events.envelope import Event, NumberKind
from events.party import ROLES, name_of, role_of
from events.subjects import customer_key
from events.vocabulary import INCIDENT_FACTS, MERGING_FACTS, PARTY_FACTS
from services.contact import Contact
from services.intake.checking import Checked, check
from services.intake.problems import Refusal

#: Clocks of partners may run ahead by this much and no more; a fact from next year would hide all that comes before it.
CLOCK_AHEAD: Final = timedelta(hours=24)
#: From an order to the one that it became part of, and on from there.
_LONGEST_CHAIN: Final = 20
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4_096)
def order_hash(order: str) -> int:
    """A number of 63 bits that stands for an order."""
    return _digest(order, 8) >> 1


@lru_cache(maxsize=256)
def name_hash(name: str) -> int:
    """A number of 32 bits that stands for the name of a fact."""
    return _digest(name, 4)


def _digest(text: str, size: int) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest())


class Found(NamedTuple):
    """A fact that was said before: at ``position``, or earlier in the batch at hand (0)."""

    position: int
    order_hash: int
    name_hash: int

    def about(self, order: str) -> bool:
        return self.order_hash == order_hash(order)

    def says(self, name: str) -> bool:
        return self.name_hash == name_hash(name)


class Known(Protocol):
    """What the decision asks about the log; see index.Index."""

    def find(self, source: str, id: str) -> Found | None: ...
    def opened_by(self, order: str) -> str | None: ...
    def order_of(self, party: str, reference: str) -> str | None: ...
    def merged_into(self, order: str) -> str | None: ...
    def numbered(self, party: str, kind: NumberKind, number: str, given_by: str | None) -> list[str]: ...


class Accept(NamedTuple):
    """Append ``event``; before that, keep ``contact`` under ``contact_key`` if there is one."""

    event: Event
    opens: bool = False  # the order is new: nobody else may have opened it in the meantime
    contact_key: str | None = None
    contact: Contact | None = None


class Duplicate(NamedTuple):
    """Said before: at ``position``, or earlier in this very batch (0)."""

    id: str
    position: int
    order: str


def decide(
    event: Event, party: str, known: Known, now: datetime, checked: Checked | Refusal | None = None
) -> Accept | Duplicate:
    """What to do with ``event`` that came in on the subject of ``party``. Raises Refusal.

    ``checked`` is what ``check`` says of it, where that is known already.
    """
    if checked is None:
        checked = check(event, party)
    if isinstance(checked, Refusal):
        raise checked
    data, contact = checked  # the data is not ours to change: it may be decided on once more
    _check_time(event.time, now)
    _check_receiver(event, data, known)

    order = _resolve(event, known)
    found = known.find(event.source, event.id)
    if found is not None:
        if not found.about(order):
            raise Refusal("id-reused", f"the id '{event.id}' was used before, for another order", "/id")
        if not found.says(event.name):  # known as a duplicate, what it says would be lost, and nobody would notice
            raise Refusal(
                "id-reused",
                f"the id '{event.id}' was used before, for another type of event: each event has an id of its own",
                "/id",
            )
        return Duplicate(event.id, found.position, order)
    if event.name in MERGING_FACTS:
        data = _merging(event, order, data, known)

    key = None
    if contact is not None:
        data = {**data, "customer": data.get("customer", order)}
        key = customer_key(party, str(data["customer"]))
    opens = event.name == "order.opened" and known.opened_by(order) is None
    return Accept(event.taken_in(now, order, data), opens, key, contact)


def is_found(event: Event, known: Known) -> bool:
    """Whether the order that ``event`` is about is known to whoever says it: other parties' numbers are not."""
    try:
        _resolve(event, known)
    except Refusal:
        return False
    return True


def _check_time(time: datetime, now: datetime) -> None:
    if time > now + CLOCK_AHEAD:
        raise Refusal(
            "time-out-of-range",
            f"time is {time:%Y-%m-%d %H:%M} UTC, which is still to come (it is {now:%Y-%m-%d %H:%M}): "
            "time says when it happened; is the clock right?",
            "/time",
        )
    if time < _EARLIEST:
        raise Refusal("time-out-of-range", f"time is in the year {time.year}: nothing before 1970 is taken", "/time")


def _check_receiver(event: Event, data: dict[str, Any], known: Known) -> None:
    """Of what is new: what was taken in before this was refused is a duplicate for ever."""
    to_itself = event.name == "item.handed_over" and data.get("to") == event.source
    if to_itself and known.find(event.source, event.id) is None:
        # Nobody would owe anything any more, for who has it is who should get it.
        raise Refusal(
            "invalid",
            f"to is '{event.source}', which is you: name who is to get it; that it came to you is item.received",
            "/data/to",
        )


_NUMBERS: Final = {
    "reference": "the number '{}' of a party",
    "serial": "the serial number '{}'",
    "customer": "a customer with the number '{}'",
}


def _by_number(event: Event, kind: NumberKind, known: Known) -> str:
    """The one order that the sender takes part in and that has that number. Raises Refusal.

    Whoever tries numbers learns nothing of the orders of others: they are as if they were not there.
    """
    if event.name == "order.opened" or event.name in PARTY_FACTS or event.name in INCIDENT_FACTS:
        raise Refusal("invalid", f"{event.name} has a subject of its own, and no number of an order", "/subjectkind")
    found = known.numbered(event.source, kind, event.subject, event.subjectof)
    before = known.find(event.source, event.id)
    if before is not None:  # said again: it means the order that it meant then, whatever else has that number by now
        return next((order for order in found if before.about(order)), event.subject)
    of_one = {_goes_on_as(order, known) for order in found}
    if len(of_one) == 1:
        return found[0] if len(found) == 1 else of_one.pop()
    what = _NUMBERS[kind].format(event.subject) + (f" of '{event.subjectof}'" if event.subjectof else "")
    if not of_one:
        raise Refusal(
            "unknown-number",
            f"no order in which {event.source} takes part has {what}; the submission is kept and taken in by itself "
            "once one has",
            "/subject",
        )
    raise Refusal(
        "ambiguous-number",
        f"{len(of_one)} orders in which {event.source} takes part have {what}: name the one by its id",
        "/subject",
    )


def _goes_on_as(order: str, known: Known) -> str:
    for _ in range(_LONGEST_CHAIN):
        into = known.merged_into(order)
        if into is None:
            break
        order = into
    return order


def _merging(event: Event, order: str, data: dict[str, Any], known: Known) -> dict[str, Any]:
    """The data of what says which orders are one, with the chain-wide id of the other order. Raises Refusal.

    Who opened both may say so, for nobody else answers for them: the customer of one would hear of the other.
    """
    if known.opened_by(order) != event.source:
        raise Refusal("not-your-order", f"only the party that opened '{event.subject}' can say so", "/subject")
    if event.name != "order.merged":
        return data
    said = str(data["into"])
    into = known.order_of(event.source, said) or said
    if known.opened_by(into) != event.source:
        # The same answer for an order of another's and for none at all, or one could find out which ids there are.
        raise Refusal("not-your-order", f"'{said}' is no order that {event.source} opened", "/data/into")
    if into == order:
        raise Refusal("invalid", f"'{event.subject}' and '{said}' are the same order already", "/data/into")
    other = known.merged_into(order)
    if other not in (None, into):
        raise Refusal("invalid", f"'{order}' is part of '{other}' by now: say order.unmerged of it first", "/subject")
    last = into
    for _ in range(_LONGEST_CHAIN):
        following = known.merged_into(last)
        if following is None:
            return data | {"into": into}
        if following == order:
            raise Refusal("invalid", f"'{said}' is part of '{event.subject}' by now: that one goes on", "/data/into")
        last = following
    raise Refusal("invalid", f"more than {_LONGEST_CHAIN} orders would be one after the other", "/data/into")


def _resolve(event: Event, known: Known) -> str:
    """The chain-wide id of what the event is about. Raises Refusal if it names nothing."""
    subject = event.subject
    if event.subjectkind is not None:
        return _by_number(event, event.subjectkind, known)
    if event.name in PARTY_FACTS or event.name in INCIDENT_FACTS:
        return subject
    if event.name == "fact.corrected" and subject == event.source:
        return subject  # about what the party said of itself
    if event.name == "order.opened":
        if role_of(subject) in ROLES:
            raise Refusal("invalid", f"'{subject}' is the name of a party: an order needs an id of its own", "/subject")
        if "~" in subject and subject.rpartition("~")[2] != name_of(event.source):
            # So nobody can take an id before the party uses it whose name it bears.
            raise Refusal(
                "not-your-name", f"'{subject}' bears another's name: what stands behind ~ must be your own", "/subject"
            )
        opener = known.opened_by(subject)
        if opener not in (None, event.source):
            raise Refusal(
                "order-id-taken",
                f"'{subject}' is the id of an order that another party opened; put something of your own before it, "
                "or, if it is the same order, say order.referenced or item.received",
                "/subject",
            )
        return subject
    own = known.order_of(event.source, subject)
    if own is not None:
        return own
    if known.opened_by(subject) is not None:
        return subject
    raise Refusal(
        "unknown-order",
        f"no order has the id '{subject}', and {event.source} has not given that number to one; "
        "the submission is kept and taken in by itself once it is known",
        "/subject",
    )
