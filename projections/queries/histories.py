"""Several orders at once, as whoever decides what customers hear needs them: a question about each costs as much as one
about all, for most of it is DuckDB's planning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from projections.queries import telling
from projections.queries.arguments import Arguments, QueryError
from projections.queries.reading import Reading, Row
from projections.queries.single import as_it_happened, as_it_was_opened, as_it_was_told, count_all, entry_of, moment_of

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
    subjects = _subjects(reading, orders)
    firsts = sorted({row["first_position"] for row in subjects})
    policy = reading.book.policy
    rules = policy.messages.model_dump()
    if not firsts:
        return {"histories": {}, "rules": rules}
    entries, merged = _stories(reading, firsts, end=max(row.pop("until") for row in subjects))
    stands = {row.pop("first_position"): row for row in reading.rows("histories_orders", firsts=firsts)}
    commitments = _by_order(sorted(reading.rows("histories_commitments", firsts=firsts), key=as_it_was_opened))
    told = [first for first in firsts if any(entry["type"].startswith("message.") for entry in entries[first].values())]
    rows = reading.rows("histories_messages", firsts=told) if told else []
    messages = _by_order(sorted(rows, key=as_it_was_told))
    letters = _letters(reading, stands, since)
    found: Row = {}
    for subject in subjects:
        first, order_id = subject["first_position"], subject["order_id"]
        order, own = stands.get(first, {}), entries[first]
        hers = letters[order.get("opened_by"), order.get("customer")]
        found[subject["asked"]] = {
            "order": {"order_id": order_id, **order, "merged": merged[first]} if order else None,
            "entries": list(own.values()),
            "commitments": [telling.commitment(row, order_id, own) for row in commitments[first]],
            "messages": [telling.message(row, order_id, own) for row in messages[first]],
            "letters": [sent for sent, _ in hers],
            "acknowledgements": [sent for sent, acknowledges in hers if acknowledges],
            "rules": rules,
            "time_zone": policy.calendar_of(order.get("accountable") or "").time_zone,
        }
    return {"histories": found, "rules": rules}


def _subjects(reading: Reading, orders: Sequence[str]) -> list[Row]:
    """The orders that are asked about, by where they begin. Who asks by the id of one that became part of another is
    told of that one."""
    subjects = reading.rows("histories_subjects", orders=orders)
    if unknown := set(orders).difference(row["asked"] for row in subjects):
        subjects += reading.rows("histories_merged", orders=sorted(unknown))
    return sorted(subjects, key=lambda row: (row["first_position"], row["asked"]))


def _stories(
    reading: Reading, firsts: Sequence[int], end: int
) -> tuple[dict[int, dict[int, Row]], dict[int, list[str]]]:
    """The entries of each order by position, and the ids of those that became part of it."""
    begin = min(firsts)
    rows = reading.rows("histories_entries", firsts=firsts, begin=begin, end=end)
    events = _by_order(sorted(rows, key=as_it_happened))
    doubtful = [first for first in firsts if not count_all(events[first])]
    voids = reading.rows("histories_voids", firsts=doubtful) if doubtful else []
    several = [first for first in firsts if any(event["aside"] for event in events[first])]
    said_of = telling.said_of(reading, several, begin, end)
    merged: dict[int, list[str]] = defaultdict(list)
    for row in reading.rows("histories_parts", firsts=several) if several else ():
        merged[row["first_position"]].append(row["order_id"])
    gone = {row["position"] for row in voids}
    entries: dict[int, dict[int, Row]] = {}
    for first in firsts:
        own = [entry_of(event, is_void=event["position"] in gone) for event in events[first]]
        entries[first] = telling.by_position(own, said_of)
    return entries, defaultdict(list, {first: sorted(ids) for first, ids in merged.items()})


def _letters(
    reading: Reading, stands: Mapping[int, Row], since: datetime
) -> Mapping[tuple[str | None, str | None], list[tuple[str, bool]]]:
    """By who opened orders for her and her number there: when she got a letter about any of them, and whether it said
    no more than that a question of hers has come. What went in the letter of another message is no letter."""
    names = sorted({order["customer"] for order in stands.values() if order["customer"] is not None})
    told: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for row in reading.rows("histories_letters", customers=names, since=since) if names else ():
        told[row["first_position"], row["letter"] or row["message_id"]].append(row)
    elsewhere = sorted({first for first, _ in told}.difference(stands))
    rows = reading.rows("histories_customers", firsts=elsewhere) if elsewhere else []
    whose = {**stands, **{row["first_position"]: row for row in rows}}
    found: dict[tuple[str | None, str | None], list[tuple[str, bool]]] = defaultdict(list)
    for (first, _), messages in told.items():
        sent = [message["sent_at"] for message in messages if message["letter"] is None]
        order = whose.get(first, {})
        if sent and order.get("customer") is not None:
            acknowledges = all(message["kind"] == "asked" for message in messages)
            found[order["opened_by"], order["customer"]].append((max(sent, key=moment_of), acknowledges))
    for letters in found.values():
        letters.sort(key=lambda letter: moment_of(letter[0]))
    return found


def _by_order(rows: list[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.pop("first_position")].append(row)
    return found
