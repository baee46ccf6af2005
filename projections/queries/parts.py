"""Who has a part in an order, and which orders of a party have changed.

A party has a part in an order if it opened it, answers to its customer, or was handed it by one who has a part. To say
something about an order is not enough: anybody registered may, who knows its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from projections.queries.arguments import Arguments
from projections.queries.reading import Reading, Row

#: No answer lists more changed orders than this at a time.
MOST_CHANGED: Final = 1_000


def taking_part(order: Mapping[str, Any], handoffs: Iterable[Mapping[str, Any]]) -> set[str]:
    """Who has a part in the order; ``handoffs`` have ``from_party``, ``to_party``, ``handed_at`` and ``position``."""
    parties = {party for party in (order.get("opened_by"), order.get("accountable")) if party}
    for handoff in sorted(handoffs, key=lambda row: (str(row["handed_at"]), row["position"])):
        if handoff["from_party"] in parties:
            parties.add(handoff["to_party"])
    return parties


def changed(reading: Reading, arguments: Arguments) -> Row:
    """The orders that ``party`` has a part in and of which something was said after position ``after``.

    By the position of the last that was said, and no more than ``limit``: ``cursor`` is the position to go on from, and
    ``more`` whether there may be more already.
    """
    party, after = arguments.required_text("party"), arguments.position("after")
    limit = arguments.number("limit", 100, MOST_CHANGED)
    found = reading.rows("changed", party=party, after=after, limit=limit)
    firsts = [row["first_position"] for row in found]
    handoffs: dict[int, list[Row]] = {first: [] for first in firsts}
    for row in reading.rows("changed_handoffs", firsts=firsts) if firsts else ():
        handoffs[row["first_position"]].append(row)
    own = [row for row in found if party in taking_part(row, handoffs[row["first_position"]])]
    hidden = ("first_position", "opened_by", "accountable")
    return {
        "orders": [{name: value for name, value in row.items() if name not in hidden} for row in own],
        "cursor": found[-1]["position"] if found else after,
        "more": 0 < limit == len(found),
    }
