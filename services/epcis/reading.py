"""Reading EPCIS 2.0 JSON-LD: a document or a single event, with every fault named by its field.

What the standard asks for is checked as far as a meaning hangs on it: required fields, times with a zone, actions,
words of the vocabulary, at least one thing that the event is about. Extensions (names with a prefix) pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from events.envelope import Moment
from services.epcis import vocabulary
from services.intake.problems import Fault, faults_in, pointer

#: An event of a document beyond these is not read.
MAX_EVENTS: Final = 1_000

#: Longer event ids are replaced by their digest: a fact's id has at most 240 bytes, and ours add a few.
_LONGEST_ID: Final = 180

_CONTEXT: Final = "epcis-context"
_Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
_Offset = Annotated[str, StringConstraints(pattern=r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$")]
_Step = Annotated[_Words, AfterValidator(lambda text: vocabulary.check(text, vocabulary.BIZ_STEPS))]
_Disposition = Annotated[_Words, AfterValidator(lambda text: vocabulary.check(text, vocabulary.DISPOSITIONS))]
_Transaction = Annotated[_Words, AfterValidator(lambda text: vocabulary.check(text, vocabulary.TRANSACTION_TYPES))]
_Source = Annotated[_Words, AfterValidator(lambda text: vocabulary.check(text, vocabulary.SOURCE_TYPES))]
_Reason = Annotated[_Words, AfterValidator(lambda text: vocabulary.check(text, vocabulary.ERROR_REASONS))]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Location(_Model):
    """A read point or a business location."""

    id: _Words


class BizTransaction(_Model):
    """A document of business that the event belongs to."""

    type: _Transaction | None = None
    bizTransaction: _Words


class Source(_Model):
    """Where it came from."""

    type: _Source
    source: _Words


class Destination(_Model):
    """Where it goes to."""

    type: _Source
    destination: _Words


class Quantity(_Model):
    """So many of a class."""

    epcClass: _Words
    quantity: float | None = None
    uom: str | None = None


class PersistentDisposition(_Model):
    """Dispositions that last until they are unset."""

    set: tuple[_Disposition, ...] = ()
    unset: tuple[_Disposition, ...] = ()


class ErrorDeclaration(_Model):
    """The event of this id was wrong."""

    declarationTime: Moment
    reason: _Reason | None = None
    correctiveEventIDs: tuple[_Words, ...] = Field(default=(), max_length=50)


class CapturedEvent(_Model):
    """An event of any of the five types; fields of the others are empty. ``bizStep`` and the like are bare words."""

    type: Literal["ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"]
    eventTime: Moment
    eventTimeZoneOffset: _Offset
    recordTime: Moment | None = None
    eventID: _Words | None = None
    errorDeclaration: ErrorDeclaration | None = None
    certificationInfo: _Words | tuple[_Words, ...] | None = None
    action: Literal["ADD", "OBSERVE", "DELETE"] | None = None
    bizStep: _Step | None = None
    disposition: _Disposition | None = None
    persistentDisposition: PersistentDisposition | None = None
    readPoint: Location | None = None
    bizLocation: Location | None = None
    bizTransactionList: tuple[BizTransaction, ...] = ()
    sourceList: tuple[Source, ...] = ()
    destinationList: tuple[Destination, ...] = ()
    epcList: tuple[_Words, ...] = ()
    quantityList: tuple[Quantity, ...] = ()
    parentID: _Words | None = None
    childEPCs: tuple[_Words, ...] = ()
    childQuantityList: tuple[Quantity, ...] = ()
    inputEPCList: tuple[_Words, ...] = ()
    inputQuantityList: tuple[Quantity, ...] = ()
    outputEPCList: tuple[_Words, ...] = ()
    outputQuantityList: tuple[Quantity, ...] = ()
    transformationID: _Words | None = None
    sensorElementList: tuple[dict[str, Any], ...] = ()
    ilmd: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """One event: ``raw`` as it came, and what it says, or all that is wrong with it."""

    raw: Any
    where: str  # JSON pointer
    event: CapturedEvent | None
    faults: tuple[Fault, ...] = ()

    @property
    def id(self) -> str:
        """What the facts of it are named after: its eventID; the digest of all it says where it has none."""
        given = self.event.eventID if self.event is not None else None
        if given is not None:
            return base_id(given)
        # Equal content in another order of fields is the same event.
        return f"epcis:sha-256:{hashlib.sha256(orjson.dumps(self.raw, option=orjson.OPT_SORT_KEYS)).hexdigest()}"


def base_id(event_id: str) -> str:
    """What the facts of the event with this eventID are named after."""
    text = event_id.strip()
    if len(text.encode()) <= _LONGEST_ID and text.isprintable() and text:
        return text
    return f"epcis:sha-256:{hashlib.sha256(event_id.encode()).hexdigest()}"


class DocumentError(ValueError):
    """What was captured is no EPCIS document or event; ``faults`` says what is wrong with which field."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].detail)
        self.faults = faults


def read_capture(document: Any) -> list[Read]:
    """Every event of a document, or the one event that it is. Raises DocumentError for what is wrong around them."""
    if not isinstance(document, dict):
        raise DocumentError(Fault(detail="must be a JSON object: an EPCISDocument or one event", pointer=""))
    faults = list(_faults_in_context(document))
    if document.get("type") != "EPCISDocument" and "epcisBody" not in document:
        if faults:
            raise DocumentError(*faults)
        return [read_event(document, "")]
    faults += _faults_around(document)
    body = document.get("epcisBody")
    events: Any = None
    where = pointer("epcisBody", "eventList")
    if isinstance(body, dict) and "event" in body:
        events, where = [body["event"]], pointer("epcisBody", "event")
    elif isinstance(body, dict):
        events = body.get("eventList")
    if not isinstance(events, list):
        faults.append(Fault(detail=f"{where}: must be a list of events", pointer=where))
    elif len(events) > MAX_EVENTS:
        faults.append(Fault(detail=f"{where}: at most {MAX_EVENTS} events are taken at a time", pointer=where))
    if faults:
        raise DocumentError(*faults)
    single = where.endswith("/event")
    return [read_event(raw, where if single else f"{where}/{number}") for number, raw in enumerate(events)]


def read_event(raw: Any, where: str) -> Read:
    """One event at the JSON pointer ``where``."""
    if not isinstance(raw, dict):
        return Read(raw, where, None, (Fault(detail=f"{where}: must be a JSON object", pointer=where),))
    prefix = tuple(where.split("/")[1:])
    event = None
    try:
        event = CapturedEvent.model_validate(raw)
        faults = []
    except ValidationError as error:
        faults = list(faults_in(error, *prefix))
    missing = {fault.pointer for fault in faults}
    faults += [
        Fault(detail=detail, pointer=place)
        for field, detail in _faults_of_type(raw)
        if (place := pointer(*prefix, field)) not in missing
    ]
    return Read(raw, where, event if not faults else None, tuple(faults))


class _Around(BaseModel):
    """What a document has to say about itself."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["EPCISDocument"]
    schemaVersion: Annotated[str, StringConstraints(pattern=r"^2\.[0-9]+(\.[0-9]+)?$")]
    creationDate: Moment
    epcisBody: dict[str, Any]


def _faults_around(document: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        _Around.model_validate(document)
    except ValidationError as error:
        yield from faults_in(error)


def _faults_in_context(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Without the context nobody can tell what the names mean, so the standard makes it a must."""
    context = document.get("@context")
    listed = context if isinstance(context, list) else [context]
    if not any(isinstance(each, str) and _CONTEXT in each for each in listed):
        detail = "must name the context of EPCIS: https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
        yield Fault(detail=detail if "@context" in document else "this field is missing", pointer=pointer("@context"))


#: Of which at least one must be there.
_ABOUT: Final[Mapping[str, tuple[str, ...]]] = {
    "ObjectEvent": ("epcList", "quantityList", "sensorElementList"),
    "TransformationEvent": ("inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList"),
}

#: Every name that has no prefix.
_NAMES: Final = frozenset(CapturedEvent.model_fields) | {"@context", "id", "isA", "isDefinedBy"}


def _faults_of_type(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and fault, of what hangs on the type of the event."""
    kind = raw.get("type")
    if kind not in ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"):
        return
    if kind != "TransformationEvent" and "action" not in raw:
        yield "action", "this field is missing"
    about = _ABOUT.get(kind)
    if about is not None and not any(raw.get(field) for field in about):
        yield about[0], f"the event is about nothing: it needs one of {', '.join(about)}"
    if kind == "TransactionEvent" and not raw.get("bizTransactionList"):
        yield "bizTransactionList", "a TransactionEvent must name its transactions"
    if kind == "AssociationEvent" and not raw.get("parentID"):
        yield "parentID", "this field is missing"
    if kind == "AggregationEvent" and raw.get("action") in ("ADD", "DELETE") and not raw.get("parentID"):
        yield "parentID", "this field is missing, which only an OBSERVE can do without"
    for name in raw:
        if name not in _NAMES and ":" not in name:
            yield name, "EPCIS has no such field; one of your own has a prefix"
