"""How a product is called of which nobody gave brand or model: by the words of whoever took it in."""

from __future__ import annotations

from collections.abc import Sequence

from projections.queries.reading import Reading, Row


def with_descriptions(reading: Reading, orders: Sequence[Row]) -> list[Row]:
    """``orders`` with the ``description`` of each that has neither brand nor model; None for all others.

    The read models keep what products are called, not how they are described: that is looked up in the facts.
    """
    nameless = [order["first_position"] for order in orders if not (order["brand"] or order["model"])]
    rows = reading.rows("descriptions", orders=nameless) if nameless else []
    found = {row["first_position"]: row["description"] for row in rows}
    return [order | {"description": found.get(order["first_position"])} for order in orders]
