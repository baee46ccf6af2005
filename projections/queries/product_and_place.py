"""What is shown of an order and no read model keeps, looked up in its facts: the product in words, and where it stays.

A product of which nobody gave brand or model is called by the words of whoever took it in. One that has never left the
customer's home is in nobody's hands, not even in those of the party that opened the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from projections.queries.reading import Reading, Row
from projections.queries.telling import fields_of, text_of

#: Whatever of these happened, it has gone from hand to hand.
_MOVES: Final = frozenset({"item.handed_over", "item.received", "item.returned"})


def with_product_and_place(reading: Reading, orders: Sequence[Row]) -> list[Row]:
    """``orders`` with the ``description`` of each that has neither brand nor model (None for all others), and with
    ``at_home``: whether it is mended at the customer's home and never went from hand to hand.

    ``orders`` have ``first_position``, ``last_position``, ``handoffs``, ``brand`` and ``model``.
    """
    asked = [order for order in orders if _is_nameless(order)]
    asked += _perhaps_at_home(reading, [order for order in orders if not (_is_nameless(order) or order["handoffs"])])
    rows = reading.rows("product_and_place", **_among(asked)) if asked else []
    found = {row.pop("first_position"): row for row in rows}
    return [order | _said_of(order, found.get(order["first_position"], {})) for order in orders]


def product_and_place(order: Row, facts: Sequence[Row]) -> Row:
    """The same of one order whose ``facts`` that count are at hand, in the order in which they happened."""
    openings = [fields_of(fact["data"]) for fact in facts if fact["counted"] == "order.opened"]
    texts = [text for opening in openings if (text := text_of(fields_of(opening.get("product")).get("description")))]
    stays = any(text_of(opening.get("at_home")) == "true" for opening in openings)
    named = {fact["counted"] for fact in facts}
    return {
        "description": texts[-1] if texts and _is_nameless(order) else None,
        "at_home": (stays or "visit.scheduled" in named) and named.isdisjoint(_MOVES),
    }


def _is_nameless(order: Row) -> bool:
    return not (order["brand"] or order["model"])


def _perhaps_at_home(reading: Reading, orders: Sequence[Row]) -> list[Row]:
    """Those of ``orders`` of which more has to be read: nearly none, and that is found out quickly."""
    if not orders:
        return []
    among = _among(orders)
    rows = reading.rows("opened_at_home", **among | {"end": max(among["orders"])})
    rows += reading.rows("perhaps_at_home", **among)
    firsts = {row["first_position"] for row in rows}
    return [order for order in orders if order["first_position"] in firsts]


def _among(orders: Sequence[Row]) -> dict[str, Any]:
    firsts = [order["first_position"] for order in orders]
    return {"orders": firsts, "begin": min(firsts), "end": max(order["last_position"] for order in orders)}


def _said_of(order: Row, found: Row) -> Row:
    description = found.get("description") if _is_nameless(order) else None
    return {"description": description, "at_home": bool(found.get("at_home"))}
