"""Customers: which orders are theirs, and which one a message was about that one answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from projections.queries.arguments import Arguments, QueryError
from projections.queries.product_and_place import with_product_and_place
from projections.queries.reading import Reading, Row

MOST: Final = 1_000

#: What her orders are looked up by, and is of no interest besides.
_ASIDE: Final = ("opened_by", "customer", "first_position", "last_position", "handoffs")


def customer(reading: Reading, arguments: Arguments) -> Row:
    """The orders of the customer to whom ``opener`` gave the number ``customer``, the latest first; maybe none."""
    (orders,) = _orders_of(reading, [arguments.required_text("opener")], [arguments.required_text("customer")])
    return {"orders": orders}


def customers(reading: Reading, arguments: Arguments) -> Row:
    """The same of several: ``orders`` has a list for each of ``customers``, to whom the party in the same place of
    ``openers`` gave that number."""
    openers, numbers = arguments.names("openers", MOST), arguments.names("customers", MOST)
    if len(openers) != len(numbers):
        raise QueryError("'openers' and 'customers' must be as many")
    return {"orders": _orders_of(reading, openers, numbers)}


def _orders_of(reading: Reading, openers: Sequence[str], numbers: Sequence[str]) -> list[list[Row]]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    rows = reading.rows("her_orders", openers=list(openers), customers=list(numbers))
    for row in with_product_and_place(reading, rows):
        hers = {name: value for name, value in row.items() if name not in _ASIDE}
        found[row["opened_by"], row["customer"]].append(hers)
    return [found[pair] for pair in zip(openers, numbers, strict=True)]


def message(reading: Reading, arguments: Arguments) -> Row:
    """The order that a message with this id is about, as a list of one or none."""
    return {"orders": reading.rows("message_order", message=arguments.required_text("message"))}
