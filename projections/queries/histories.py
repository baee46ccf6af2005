"""Several orders at once, as whoever decides what customers hear needs them: a question about each costs as much as one
about all, for most of it is DuckDB's planning."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from projections.book import open_book
from projections.queries import telling
from projections.queries.arguments import Arguments, QueryError
from projections.queries.reading import Reading, Row

MOST: Final = 500


def histories(reading: Reading, arguments: Arguments) -> Row:
    """What ``timeline`` with ``raw`` says of each of ``orders`` (ids), as far as it matters for messages.

    With ``letters``: when each customer got letters since ``letters_since``, about any order of hers, and with
    ``acknowledgements``: those of them that only say that a question of hers has come; and with what the policy says of
    messages, and the time zone of whoever answers for the order. An order that is not known is left out;
    one that became part of another is that other.
    """
    orders, since = arguments.names("orders", MOST), arguments.moment("letters_since")
    if since is None:
        raise QueryError("say since when: 'letters_since' is missing")
    subjects = reading.rows("histories_orders", orders=orders)
    firsts = sorted({row["first_position"] for row in subjects})
    policy = open_book(reading.cursor).policy
    rules = policy.messages.model_dump()
    if not firsts:
        return {"histories": {}, "rules": rules}
    bounds = {"firsts": firsts, "begin": min(firsts), "end": max(row.pop("until") for row in subjects)}
    entries = _by_order(reading.rows("histories_entries", **bounds))
    several = [row["first_position"] for row in subjects if row["merged"]]
    said_of = telling.said_of(reading, several, bounds["begin"], bounds["end"])
    commitments = _by_order(reading.rows("histories_commitments", firsts=firsts))
    messages = _by_order(reading.rows("histories_messages", firsts=firsts))
    letters: dict[tuple[str, str], list[str]] = defaultdict(list)
    acknowledgements: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in reading.rows("histories_letters", firsts=firsts, since=since):
        letters[row["opened_by"], row["customer"]].append(row["sent_at"])
        if row["acknowledges"]:
            acknowledgements[row["opened_by"], row["customer"]].append(row["sent_at"])
    found: Row = {}
    for order in subjects:
        first, asked = order.pop("first_position"), order.pop("asked")
        own = telling.by_position(entries[first], said_of)
        order_id, order["merged"] = order["order_id"], order["merged"] or []
        customer = order.get("opened_by") or "", order.get("customer") or ""
        found[asked] = {
            "order": order if order.pop("is_order") else None,
            "entries": list(own.values()),
            "commitments": [telling.commitment(row, order_id, own) for row in commitments[first]],
            "messages": [telling.message(row, order_id, own) for row in messages[first]],
            "letters": letters[customer],
            "acknowledgements": acknowledgements[customer],
            "rules": rules,
            "time_zone": policy.calendar_of(order.get("accountable") or "").time_zone,
        }
    return {"histories": found, "rules": rules}


def _by_order(rows: list[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.pop("first_position")].append(row)
    return found
