"""The envelope of every fact: CloudEvents 1.0, structured JSON, with four extensions of ours.

``time`` is when it happened, ``recordedtime`` when the chain took it in. ``correlationid`` ties what belongs together
and ``causationid`` names the fact that led to this one. (source, id) identifies a fact for ever.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from events.party import Party

TYPE_PREFIX: Final = "repairchain."
CONTENT_TYPE: Final = "application/cloudevents+json"
MAX_BYTES: Final = 64 * 1024
#: An id becomes one token of a subject, three characters a byte at worst, and the server takes 4,096 for a line.
MAX_ID_BYTES: Final = 240

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}")
_TYPE = re.compile(r"repairchain\.((?:[a-z][a-z_]*)\.(?:[a-z][a-z_]*))\.v([1-9][0-9]{0,3})")
#: A type without what is around it, as people say it.
_NAME: Final = re.compile(r"[a-z]+\.[a-z_]+")


#: Attributes that few facts have.
_SELDOM: Final = ("correlationid", "causationid", "subjectkind", "subjectof")

#: A frozen model lets nobody set anything, but for whoever makes one.
_set: Final = object.__setattr__
_RECORDED: Final = frozenset({"recordedtime"})


class TypeNameError(ValueError):
    """The text is not a type of ours, such as ``repairchain.item.received.v1``."""


@lru_cache(maxsize=4_096)
def split_type(text: str) -> tuple[str, int]:
    """``("item.received", 1)`` of ``repairchain.item.received.v1``. Raises TypeNameError."""
    found = _TYPE.fullmatch(text)
    if not found:
        example = full_type(text, 1) if _NAME.fullmatch(text) else "repairchain.<thing>.<what_happened>.v<version>"
        raise TypeNameError(f"'{text}' is not a type: write {example}")
    return found[1], int(found[2])


def full_type(name: str, version: int) -> str:
    """``repairchain.item.received.v1`` of ``("item.received", 1)``."""
    return f"{TYPE_PREFIX}{name}.v{version}"


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError where that is before the first year or after the last."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be in a year from 1 to 9999 also in UTC") from None


def iso(moment: datetime) -> str:
    """The one way in which moments are written in the log: UTC, microseconds only where there are any, and a Z."""
    return moment.astimezone(UTC).isoformat()[:-6] + "Z"


def check_id(text: str) -> str:
    """An id is printable text without spaces at its ends: it is shown, typed and searched for."""
    if text != text.strip() or not text.isprintable():
        raise ValueError("must be printable text without spaces at its ends")
    if len(text.encode()) > MAX_ID_BYTES:
        raise ValueError(f"must be at most {MAX_ID_BYTES} bytes of UTF-8")
    return text


def check_moment(value: object) -> object:
    """A moment is written as RFC 3339 says; a mere number would be taken for seconds since 1970."""
    if isinstance(value, str):
        if not _MOMENT.match(value):
            raise ValueError("must be a date and time with a zone, such as 2026-11-21T17:00:00+01:00")
    elif isinstance(value, int | float):
        raise ValueError("must be text, such as 2026-11-21T17:00:00+01:00")
    return value


Moment = Annotated[
    AwareDatetime, BeforeValidator(check_moment), AfterValidator(to_utc), PlainSerializer(iso, when_used="json")
]
Identifier = Annotated[str, StringConstraints(min_length=1), AfterValidator(check_id)]

#: What an order may be named by besides its id and the sender's own number: another party's number for it, the serial
#: number of what is repaired, the reference to its customer.
NumberKind = Literal["reference", "serial", "customer"]


class Event(BaseModel):
    """One fact in its envelope. ``subject`` is the order (of ``party.closed`` the party, of incidents the incident).

    A partner may name the order by another number, of the kind ``subjectkind``, which ``subjectof`` gave it (a party;
    of a serial number the brand). Intake finds the order: in the log ``subject`` is its id, and the two are not there.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: Identifier
    source: Party
    type: str
    subject: Identifier
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    recordedtime: Moment | None = None
    correlationid: str | None = Field(default=None, max_length=1_000)
    causationid: str | None = Field(default=None, max_length=1_000)
    subjectkind: NumberKind | None = None
    subjectof: str | None = Field(default=None, min_length=1, max_length=240)
    data: dict[str, Any]

    @cached_property  # asked for many times on a fact's way into the log
    def name(self) -> str:
        """The fact's name in the vocabulary: ``item.received``."""
        return split_type(self.type)[0]

    def taken_in(self, at: datetime, order: str, data: dict[str, Any]) -> Event:
        """The same fact as it is kept in the log, recorded ``at`` (UTC). Nothing is validated once more."""
        made = Event.__new__(Event)
        state = self.__dict__.copy()
        state["subject"], state["subjectkind"], state["subjectof"] = order, None, None
        state["data"], state["recordedtime"] = data, at
        # What pydantic does for pickle; its model_copy takes several times as long, and each submission comes here.
        _set(made, "__dict__", state)
        _set(made, "__pydantic_fields_set__", self.model_fields_set | _RECORDED)
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made

    def to_json(self) -> bytes:
        """The structured JSON that the log stores."""
        has = self.__dict__
        document: dict[str, Any] = {
            "specversion": has["specversion"],
            "id": has["id"],
            "source": has["source"],
            "type": has["type"],
            "subject": has["subject"],
            "time": has["time"],
            "datacontenttype": has["datacontenttype"],
        }
        if has["recordedtime"] is not None:
            document["recordedtime"] = has["recordedtime"]
        for name in _SELDOM:
            if (value := has[name]) is not None:
                document[name] = value
        document["data"] = has["data"]
        try:
            # A fifth of the time that pydantic takes, to the same bytes: both moments are in UTC.
            return orjson.dumps(document, option=orjson.OPT_UTC_Z)
        except TypeError:  # numbers without bounds, say: never from outside, where the same library reads
            return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_json(cls, payload: bytes | str) -> Event:
        """Read structured JSON. Raises pydantic.ValidationError."""
        return cls.model_validate_json(payload)


def make_event(
    name: str,
    *,
    source: str,
    id: str,
    subject: str,
    time: datetime,
    data: BaseModel | dict[str, Any],
    version: int = 1,
    recordedtime: datetime | None = None,
    causationid: str | None = None,
) -> Event:
    """Build an event of ours from its parts; ``data`` may be a model of the vocabulary."""
    if isinstance(data, BaseModel):
        data = data.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Event(
        id=id,
        source=source,
        type=full_type(name, version),
        subject=subject,
        time=time,
        recordedtime=recordedtime,
        causationid=causationid,
        data=data,
    )
