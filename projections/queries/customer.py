"""One customer: which orders are hers, and which one a message was about that she answers."""

from __future__ import annotations

from typing import Final

from projections.queries.arguments import Arguments
from projections.queries.naming import with_descriptions
from projections.queries.reading import Reading, Row

#: What her orders are looked up by, and is of no interest besides.
_ASIDE: Final = ("first_position", "last_position", "handoffs")


def customer(reading: Reading, arguments: Arguments) -> Row:
    """The orders of the customer to whom ``opener`` gave the number ``customer``, the latest first; maybe none."""
    whose = {"opener": arguments.required_text("opener"), "customer": arguments.required_text("customer")}
    rows = with_descriptions(reading, reading.rows("her_orders", **whose))
    return {"orders": [{name: value for name, value in row.items() if name not in _ASIDE} for row in rows]}


def message(reading: Reading, arguments: Arguments) -> Row:
    """The order that a message with this id is about, as a list of one or none."""
    return {"orders": reading.rows("message_order", message=arguments.required_text("message"))}
