"""What the OpenAPI document says of bodies: the models of what is sent and answered, and their JSON Schemas."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from events.envelope import Event
from services.epcis.reading import MAX_EVENTS, CapturedEvent
from services.intake.problems import Fault

_REF: Final = "#/components/schemas/{model}"


class ProblemDetails(BaseModel):
    """RFC 9457. ``pointer`` is the JSON pointer of the field, ``errors`` all that is wrong, the first of them first."""

    type: str
    title: str
    status: int
    detail: str
    pointer: str | None = None
    submission: str | None = Field(None, description="the event's own id")
    errors: list[Fault] | None = None
    outcome: Literal["rejected"] | None = Field(None, description="of an event that the intake refused, and keeps")


class ReceiptProblem(BaseModel):
    """Why an event was rejected or is held."""

    type: str
    title: str
    detail: str
    pointer: str | None = None
    submission: str | None = None
    errors: list[Fault] | None = None
    held_until: datetime | None = Field(None, description="if no order came by then, it is rejected")


class Receipt(BaseModel):
    """What became of one event."""

    id: str | None
    source: str | None = None
    outcome: Literal["accepted", "duplicate", "held", "rejected", "pending"]
    order: str | None = Field(None, description="the chain's own id of the order")
    position: int | None = Field(None, description="in the log")
    problem: ReceiptProblem | None = None


class Receipts(BaseModel):
    """One receipt for each event, in their order."""

    receipts: list[Receipt]
    cursor: str | None = Field(None, description="where they were asked for with after: to go on from")


class Captured(BaseModel):
    """What became of one EPCIS event."""

    pointer: str
    outcome: Literal["captured", "held", "kept", "refused", "pending"]
    eventID: str | None = None
    why: str | None = Field(None, description="why it has no fact here; it is kept as it came")
    receipts: list[Receipt] | None = None


class CaptureJob(BaseModel):
    """An EPCISCaptureJob; ``events`` is ours."""

    captureID: str
    createdAt: str
    finishedAt: str | None
    running: bool
    success: bool
    captureErrorBehaviour: Literal["rollback", "proceed"]
    errors: list[dict[str, Any]]
    events: list[Captured]


class Timeline(BaseModel):
    """An order's story, as docs/json.md says; ``messages`` and ``contacts`` for those who face the customer."""

    order: dict[str, Any]
    entries: list[dict[str, Any]]
    handoffs: list[dict[str, Any]]  # with where the carrier says that the parcel is
    commitments: list[dict[str, Any]]
    messages: list[dict[str, Any]] | None = None
    contacts: list[dict[str, Any]] | None = None


class ChangedOrder(BaseModel):
    """An order of yours; ``position`` is that of the last that was said of it."""

    order_id: str
    position: int
    status: str
    open: bool
    since: str | None
    holder: str | None


class ChangedOrders(BaseModel):
    """Go on from ``cursor``, at once if there is ``more``."""

    orders: list[ChangedOrder]
    cursor: int
    more: bool


class Notices(BaseModel):
    """Notices as on ``notices.<role>.<name>`` over NATS, as they came; go on from ``cursor``."""

    notices: list[dict[str, Any]]
    cursor: str


class Scans(BaseModel):
    """So many scans were taken; those of parcels that nobody handed over yet wait for that."""

    scans: int


_MODELS: Final = (
    Event,
    CapturedEvent,
    ProblemDetails,
    Receipts,
    CaptureJob,
    Timeline,
    ChangedOrders,
    Notices,
    Scans,
)


def schema_of(name: str) -> dict[str, str]:
    """A reference to the schema of that name."""
    return {"$ref": _REF.format(model=name)}


def schemas() -> dict[str, Any]:
    """All schemas by name."""
    _, models = models_json_schema([(model, "validation") for model in _MODELS], ref_template=_REF)
    context = {"@context": {"description": "must name the context of EPCIS"}}
    return {
        **models["$defs"],
        "AnyReceipt": {"anyOf": [schema_of("Receipt"), schema_of("Receipts")]},
        "EPCISEvent": {
            "allOf": [
                {"type": "object", "required": ["@context"], "properties": context},
                schema_of("CapturedEvent"),
            ]
        },
        "EPCISDocument": {
            "type": "object",
            "required": ["@context", "type", "schemaVersion", "creationDate", "epcisBody"],
            "properties": {
                **context,
                "type": {"const": "EPCISDocument"},
                "schemaVersion": {"type": "string", "pattern": r"^2\.[0-9]+(\.[0-9]+)?$"},
                "creationDate": {"type": "string", "format": "date-time"},
                "epcisBody": {
                    "type": "object",
                    "required": ["eventList"],
                    "properties": {
                        "eventList": {
                            "type": "array",
                            "maxItems": MAX_EVENTS,
                            "items": schema_of("CapturedEvent"),
                        }
                    },
                },
            },
        },
    }
