"""The CloudEvent of what a partner says, from whichever form it says it in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from events.envelope import Event, full_type, iso
from events.facet import Fact
from events.vocabulary import FACTS, PARTY_FACTS

#: A whole event, a fact of the vocabulary, or the name of one (``item.received``).
Said = Mapping[str, Any] | Event | Fact | str


def build_event(
    said: Said,
    data: Mapping[str, Any] | Fact | None,
    *,
    party: str,
    order: str | None = None,
    id: str | None = None,
    time: datetime | None = None,
) -> dict[str, Any]:
    """The structured CloudEvent that ``party`` hands in; what the envelope lacks is made up: a new id, now, the party.

    Raises ValueError if it is not said what happened, or to which order, or what is said is of the wrong kind.
    """
    if isinstance(said, Fact):
        data = said
        said = said.NAME
    given: dict[str, Any]
    if isinstance(said, str):
        given = {"type": _type(said), "data": _plain(data)}
        if said in PARTY_FACTS:
            given["subject"] = party
    else:
        if data is not None:
            raise ValueError("a whole event has its data in it: give the name of what happened, or the event alone")
        given = said.model_dump(mode="json", exclude_none=True) if isinstance(said, Event) else dict(said)
    if time is not None and getattr(time, "tzinfo", None) is None:  # nor has a text one
        raise ValueError("a time is a datetime with its zone, as datetime.now(UTC) is")
    named = {"subject": order, "id": id, "time": None if time is None else iso(time)}
    given |= {field: value for field, value in named.items() if value is not None}
    if "type" not in given or "subject" not in given:
        raise ValueError("say what happened (type) and to which order (order=)")
    made_up: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": party,
        "time": iso(datetime.now(UTC)),
        "data": {},
    }
    return {field: value for field, value in made_up.items() if field not in given} | given


def _type(name: str) -> str:
    """The newest version of ``item.received``; what is written in full, or is none of ours, stays as it is."""
    fact = FACTS.get(name)
    return name if fact is None else full_type(name, fact.VERSION)


def _plain(data: Mapping[str, Any] | Fact | None) -> dict[str, Any]:
    if isinstance(data, BaseModel):
        return data.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    if not isinstance(data, Mapping | None):
        raise ValueError("the data is a dictionary: the fields of the fact and their values")
    return dict(data or {})
