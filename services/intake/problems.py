"""What can be wrong with a submission, as RFC 9457 problem details that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from events.envelope import Moment, full_type
from events.nearest import nearest_facts
from events.vocabulary import FACTS
from events.wording import in_words

_ROOT: Final = "urn:repairchain:problem:"
_LONGEST_FAULT: Final = 160
#: Of one submission no more are told.
MOST_FAULTS: Final = 10
#: What is held: its order may still come, or become known by that number.
HELD: Final = frozenset({"unknown-order", "unknown-number"})
#: What was held for its order, once the time for that is up.
NEVER_CAME: Final = "order-never-came"

#: problem type → title
TITLES: Final = {
    "too-large": "The submission is larger than 64 KiB",
    "unreadable": "The submission cannot be read",
    "invalid": "The event does not say what its type asks for",
    "not-your-name": "A party speaks for itself only",
    "not-yours-to-say": "This is not for this role to say",
    "not-your-order": "This is for whoever opened the order to say",
    "unknown-type": "This type is not in the vocabulary",
    "unknown-version": "This version of the type is not known yet",
    "id-reused": "This id was used before for something else",
    "unknown-order": "No order has this id or reference yet",
    "unknown-number": "No order in which you take part has this number yet",
    "ambiguous-number": "Several orders in which you take part have this number",
    "order-never-came": "The order never came",
    "order-id-taken": "Another party has opened an order with this id",
    "internal": "Intake failed on this submission",
    "time-out-of-range": "The time cannot be right",
}


class Fault(BaseModel):
    """One of several things that are wrong: the JSON pointer of the field, and what is wrong with it."""

    model_config = ConfigDict(frozen=True)

    detail: str
    pointer: str | None = None


class Problem(BaseModel):
    """RFC 9457: ``pointer`` is the JSON pointer of the field, ``submission`` the event's own id, where it has one.

    ``errors`` lists all that is wrong, up to ten, with an invalid event; the first is what ``detail`` says.
    ``held_until`` is how long a submission that is held waits for its order.
    """

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    detail: str
    pointer: str | None = None
    submission: str | None = None
    errors: tuple[Fault, ...] | None = None
    held_until: Moment | None = None

    def told(self) -> dict[str, Any]:
        """As it is told in JSON: without what is not there."""
        return self.model_dump(mode="json", exclude_none=True)


class Refusal(Exception):
    """Raised where a submission turns out to be one that we cannot take."""

    def __init__(self, kind: str, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        # Both may repeat what the sender wrote, of any length; they travel in a header and in a receipt.
        self.detail = short(detail)
        self.pointer = None if pointer is None else short(pointer)
        #: All that is wrong with the envelope, and with the data, where who refused it has found that out already.
        self.of_envelope: tuple[Fault, ...] | None = None
        self.of_data: tuple[Fault, ...] | None = None

    def alone(self) -> Refusal:
        """Itself, without where it was raised and from what: that would keep all it was made of until it is told."""
        self.__context__ = None
        return self.with_traceback(None)

    def problem(self, submission: str | None, errors: tuple[Fault, ...] | None = None) -> Problem:
        """The refusal as problem details about the submission with that id; ``errors`` is all that is wrong with it."""
        return Problem(
            type=type_of(self.kind),
            title=TITLES[self.kind],
            detail=self.detail,
            pointer=self.pointer,
            submission=submission,
            errors=errors,
        )


def short(text: str) -> str:
    """At most 500 characters of ``text``, the middle left out."""
    return text if len(text) <= 500 else f"{text[:300]} … {text[-190:]}"


def is_held(problem: Problem) -> bool:
    """Whether the submission waits for its order and is taken in by itself, so that nobody has anything to mend."""
    return kind_of(problem.type) in HELD


def type_of(kind: str) -> str:
    """``urn:repairchain:problem:unknown-order`` of ``unknown-order``."""
    return _ROOT + kind


def kind_of(problem_type: str) -> str:
    """``unknown-order`` of ``urn:repairchain:problem:unknown-order``."""
    return problem_type.removeprefix(_ROOT)


def pointer(*parts: str | int) -> str:
    """The JSON pointer (RFC 6901) to a field."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def unknown_type(type_: str) -> Refusal:
    """Of a type that nobody knows by this name, and which may be meant, or where those that there are are listed."""
    where = ", which docs/events lists page by page"
    if nearest := nearest_facts(type_):
        where = f" (did you mean {full_type(nearest[0], FACTS[nearest[0]].VERSION)}?)"
    return Refusal("unknown-type", f"'{type_}' is not in the vocabulary{where}; the submission is kept", "/type")


def from_validation(error: ValidationError, *prefix: str) -> Refusal:
    """The first thing that pydantic found wrong, in one sentence, and how many more there are."""
    return _refusal(_told(error, prefix))


def of_envelope(error: ValidationError) -> Refusal:
    """The same of a whole envelope."""
    told = _told(error, ())
    refusal = _refusal(told)
    refusal.of_envelope = tuple(_faults(told[:MOST_FAULTS]))
    return refusal


def of_data(error: ValidationError) -> Refusal:
    """The same of the data of an event whose envelope, and whose customer's contact, are as they should be."""
    told = _told(error, ("data",))
    refusal = _refusal(told)
    refusal.of_envelope, refusal.of_data = (), tuple(_faults(told[:MOST_FAULTS]))
    return refusal


def faults_in(error: ValidationError, *prefix: str) -> Iterator[Fault]:
    """Each thing that pydantic found wrong."""
    return _faults(_told(error, prefix))


def _refusal(told: list[tuple[str, str]]) -> Refusal:
    (where, message), *rest = told
    more = f" (and {len(rest)} more problem{'s' if len(rest) > 1 else ''})" if rest else ""
    return Refusal("invalid", f"{where or 'the event'}: {message}{more}", where or None)


def _faults(told: list[tuple[str, str]]) -> Iterator[Fault]:
    # They travel in a header together, so each is kept short.
    for where, message in told:
        yield Fault(detail=message[:_LONGEST_FAULT], pointer=where[:_LONGEST_FAULT] or None)


def _told(error: ValidationError, prefix: tuple[str, ...]) -> list[tuple[str, str]]:
    """Where each is and what is wrong, in words."""
    return [_in_words(each, prefix) for each in error.errors(include_url=False, include_input=False)]


def _in_words(fault: Any, prefix: tuple[str, ...]) -> tuple[str, str]:
    if fault["type"] == "missing":
        message = "this field is missing"
    elif fault["type"] == "extra_forbidden":
        message = "this type has no such field"
    else:
        message = in_words(fault)
    return pointer(*prefix, *fault["loc"]), message
