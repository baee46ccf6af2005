"""The numbers by which a fact makes an order known, besides its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from events.envelope import NumberKind


class Number(NamedTuple):
    """``given_by`` is the party that gave it; of a serial number the brand in small letters, or nothing."""

    kind: NumberKind
    number: str
    given_by: str


def numbers_in(name: str, source: str, data: Mapping[str, Any]) -> list[Number]:
    """What the order of a fact may be named by because of it. ``data`` may be a later version's, of any shape."""
    found: list[Number] = []
    if name == "order.opened":
        _add(found, "customer", data.get("customer"), source)
        items = data.get("items")
        for each in (data.get("product"), *(items if isinstance(items, list | tuple) else ())):
            if isinstance(each, Mapping):
                _add(found, "serial", each.get("serial"), brand(each.get("brand")))
    elif name == "order.referenced":
        _add(found, "reference", data.get("reference"), source)
    elif name == "unit.replaced":
        for serial in (data.get("old_serial"), data.get("new_serial")):
            _add(found, "serial", serial, "")
    return found


def _add(found: list[Number], kind: NumberKind, number: object, given_by: str) -> None:
    if isinstance(number, str) and number:
        found.append(Number(kind, number, given_by))


def brand(name: object) -> str:
    """A brand as it is compared: people write it in large and in small letters."""
    return name.casefold() if isinstance(name, str) else ""
