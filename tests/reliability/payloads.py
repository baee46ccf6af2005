"""Submissions that nobody should hand in: made by hypothesis, and torn, spliced and bent from good ones.

A corpus is drawn from strategies once; what is handed in is drawn from the corpus and mutated by a seeded random
generator, which makes a million of them in a minute and the same million again from the same seed.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from events.golden import example
from events.vocabulary import FACTS, WHO_MAY_SAY

#: Who hands in; the payloads know them too, and each other's orders.
PARTIES: Final = ("retailer:acme", "retailer:rival", "importer:north", "repairer:bench")

#: So few orders, and ids for each, that what comes is often said twice, of another's order, or before its order.
_ORDERS: Final = 300
_IDS: Final = 3

_LARGE: Final = 70_000  # bytes; more than is taken, less than the server refuses

_TEXT = st.text(max_size=12)
_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=8,
)
_BODIES: Final = st.one_of(st.binary(max_size=300), _JSON.map(lambda value: json.dumps(value).encode()))

_HEADERS: Final = (
    {"content-type": "application/cloudevents+json"},
    {"ce-specversion": "1.0", "ce-id": "%41", "ce-source": "retailer:acme", "ce-type": "repairchain.item.received.v1"},
    {"ce-specversion": "9", "CE-ID": ""},
    {"Repairchain-Retry-Of": "999999999"},
    {"Repairchain-Retry-Of": "-1"},
    {"Nats-Msg-Id": "open-1"},
)


class Payload(NamedTuple):
    """One submission: who hands it in, its headers and its body."""

    party: str
    headers: dict[str, str] | None
    body: bytes


def corpus(size: int, number: int = 1) -> tuple[list[bytes], list[Any]]:
    """``size`` bodies and as many JSON values, drawn by hypothesis; the same for the same ``number``."""
    bodies: list[bytes] = []
    values: list[Any] = []

    @seed(number)
    @settings(
        max_examples=size,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_BODIES, _JSON)
    def draw(body: bytes, value: Any) -> None:
        bodies.append(body)
        values.append(value)

    draw()
    return bodies, values


def payloads(count: int, number: int = 1, *, good: float = 0.5, drawn: int = 500) -> Iterator[Payload]:
    """``count`` submissions, of which a share of ``good`` is as it should be; the same for the same ``number``."""
    chance = random.Random(number)
    bodies, values = corpus(drawn, number)
    known = {
        role: [(name, example(name, FACTS[name].VERSION)) for name in sorted(WHO_MAY_SAY[role])]
        for role in {party.partition(":")[0] for party in PARTIES}
    }
    for _ in range(count):
        party = chance.choice(PARTIES)
        name, event = chance.choice(known[party.partition(":")[0]])
        if chance.random() < 0.25:
            name, event = "order.opened", example("order.opened", 1)
        document = _as_said(event, name, party, number, chance)
        if chance.random() < good:
            yield Payload(party, None, _written(document))
        else:
            headers, body = _spoilt(document, bodies, values, chance)
            yield Payload(party, headers, body)


def _spoilt(
    document: dict[str, Any], bodies: list[bytes], values: list[Any], chance: random.Random
) -> tuple[dict[str, str] | None, bytes]:
    kind = chance.random()
    if kind < 0.6:
        return None, _written(_bent(document, values, chance))
    if kind < 0.8:
        return None, _torn(_written(document), bodies, chance)
    if kind < 0.9:
        return None, chance.choice(bodies)
    if kind < 0.99:
        return chance.choice(_HEADERS), chance.choice((*bodies[:3], _written(document)))
    return None, _written(document | {"data": {"note": "x" * _LARGE}})


def _as_said(event: dict[str, Any], name: str, party: str, number: int, chance: random.Random) -> dict[str, Any]:
    """The example of a type, as ``party`` would say it of one of a few orders, under one of a few ids."""
    order = f"W-{number}-{chance.randrange(_ORDERS)}"
    said: dict[str, Any] = json.loads(json.dumps(event)) | {
        "id": f"{name} {order} {chance.randrange(_IDS)}",
        "source": party,
        "subject": order,
        "time": f"2026-03-{chance.randrange(1, 28):02}T09:00:00Z",
    }
    if name.startswith("party."):
        said["subject"] = party
    if name == "order.opened":
        said["data"].pop("accountable", None)
    return said


def _bent(document: dict[str, Any], values: list[Any], chance: random.Random) -> dict[str, Any]:
    """One or two fields, at the top or in the data, are missing, renamed, or hold something else."""
    for _ in range(chance.randrange(1, 3)):
        inner = document.get("data")
        fields = inner if chance.random() < 0.5 and isinstance(inner, dict) and inner else document
        if not fields:
            return document
        field = chance.choice(sorted(fields))
        how = chance.randrange(4)
        if how == 0:
            del fields[field]
        elif how == 1:
            fields[f"{field}X"] = fields.pop(field)
        elif how == 2:
            fields[field] = copy.deepcopy(chance.choice(values))  # what is bent next may be inside it
        else:
            fields[field] = chance.choice(
                (*PARTIES, "repairchain.order.opened.v9", "W-1-1", "9999-12-31T23:59:59Z", "")
            )
    return document


def _torn(body: bytes, bodies: list[bytes], chance: random.Random) -> bytes:
    """Cut short, joined with another, with a bit turned, a part repeated, or in another encoding."""
    at = chance.randrange(len(body))
    how = chance.randrange(5)
    if how == 0:
        return body[:at]
    if how == 1:
        return body[:at] + chance.choice(bodies) + body[at:]
    if how == 2:
        return body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :]
    if how == 3:
        return body[:at] + body[at // 2 : at] + body[at:]
    return body.decode().encode("utf-16")


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
