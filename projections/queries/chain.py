"""Many orders at once: lists, lanes between parties, what is stalled, figures."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from projections.book import open_book
from projections.clock import promise_of_next_news
from projections.policies.next_news import after_missed_visit, while_it_lies_ready
from projections.policies.words import is_hurried
from projections.queries import owed
from projections.queries.arguments import MAX_LIMIT, Arguments
from projections.queries.next_step import ball_of, with_ball, with_next_due
from projections.queries.order import messages_of
from projections.queries.product_and_place import with_product_and_place
from projections.queries.reading import Reading, Row, as_json, as_parameter
from projections.queries.single import owed_by
from projections.queries.travel import travel
from projections.queries.waiting import said_of_lanes, together, with_awaited

#: In which order orders are listed; the first unless another is asked for.
SORTS: Final = ("moved", "due", "waiting")
#: Less likely than this to be met in time is worth a look.
_LIKELY: Final = 0.5
#: Quiet hours, a full day and all retries are over by then.
_SILENT: Final = timedelta(days=3)


def orders(reading: Reading, arguments: Arguments) -> Row:
    """Orders, open ones first and of these what moved last unless ``sort`` says otherwise; and how many there are.

    Sorts are ``moved``, ``due`` (the next step that is due first) and ``waiting`` (what has not moved for longest).
    """
    sort = arguments.one_of("sort", SORTS) or SORTS[0]
    wanted = {
        "open": arguments.flag("open"),
        "holder": arguments.text("holder"),
        "status": arguments.text("status"),
    }
    limit, offset = arguments.number("limit", 100), arguments.number("offset", 0)
    travel(reading)
    bounds = {"limit": limit, "offset": offset}
    if sort == "due":
        page = reading.rows("orders_due", **wanted, **bounds)
    else:
        page = reading.rows("orders_page", **wanted, **bounds, sort=sort)
    rows = _orders_at(reading, [row["first_position"] for row in page], reading.moment_or_none(arguments))
    total = reading.rows("orders_total", **wanted)[0]["total"]
    return {"orders": rows, "total": total}


def _orders_at(reading: Reading, firsts: list[int], now: datetime | None) -> list[Row]:
    """The orders that begin there, in that order, as a status has them."""
    if not firsts:
        return []
    orders = {row["first_position"]: row for row in reading.rows("orders", orders=firsts)}
    owed_in: dict[int, list[Row]] = defaultdict(list)
    for row in reading.rows("orders_owed", orders=firsts):
        owed_in[row["first_position"]].append(row)
    found = []
    for first in firsts:
        owed_here = owed_by(now, owed_in[first])
        order = with_next_due(orders[first], owed_here)
        found.append(with_ball(order, ball_of(order, owed_here) if now is not None else None))
    return with_product_and_place(reading, found)


def handoffs(reading: Reading, arguments: Arguments) -> Row:
    """Per lane from party to party: how often, how often it arrived, and how long that took. Busiest first."""
    wanted = {"from_party": arguments.text("from"), "to_party": arguments.text("to")}
    limit = arguments.number("limit", 1_000)
    travel(reading)
    lanes = reading.rows("lanes", **wanted, limit=limit)
    said = said_of_lanes(reading, **wanted)
    nothing = together(())
    return {
        "lanes": [row | said.get((row["from_party"], row["to_party"]), nothing) for row in lanes],
        "totals": reading.rows("lanes_total", **wanted)[0] | together(said.values()),
    }


def stalled(reading: Reading, arguments: Arguments) -> Row:
    """Commitments whose due time has passed and that nobody has met, the longest overdue first; and likely stalls."""
    now, below = reading.moment(arguments), arguments.share("likely")
    travel(reading)
    late = owed.listed(reading, now, states=["overdue"], limit=arguments.number("limit", MAX_LIMIT))
    return {
        "stalled": with_awaited(reading, late),
        "likely": owed.likely_late(reading, now, _LIKELY if below is None else below),
    }


def messages(reading: Reading, arguments: Arguments) -> Row:
    """Messages to customers with their texts: the latest of all, or the latest of one order, those as they came."""
    name, limit = arguments.text("order"), arguments.number("limit", 100)
    if name is None:
        return {"messages": reading.rows("messages", limit=limit)}
    found = messages_of(reading, name)
    return {"messages": found[max(len(found) - limit, 0) :]}


def pending(reading: Reading, arguments: Arguments) -> Row:
    """Messages that are planned and have no outcome yet, the oldest first.

    ``after`` is the ``position`` of the last that is known: with it the next ones are given.
    """
    after = arguments.number("after", 0, most=2**63 - 1)
    return {"pending": reading.rows("pending", after=after, limit=arguments.number("limit", MAX_LIMIT))}


def audit(reading: Reading, arguments: Arguments) -> Row:
    """Whether every message that was planned has ended: how many in which way, and those with which something is wrong.

    What is still on its way is no fault for as long as a hold or a retry may take.
    """
    now = reading.moment(arguments)
    faults = reading.rows("audit_faults", silent_since=now - _SILENT, limit=arguments.number("limit", 100))
    counts = reading.rows("audit")[0]
    ended = sum(counts[status] for status in ("sent", "failed", "suppressed", "unknown", "pending"))
    return {**counts, "balanced": not faults and counts["planned"] == ended == counts["messages"], "faults": faults}


def stats(reading: Reading, arguments: Arguments) -> Row:
    """The figures of the whole chain."""
    del arguments
    return reading.rows("stats")[0]


def closures(reading: Reading, arguments: Arguments) -> Row:
    """When one party is closed, as it announced; its time zone; and the next news that it can promise a customer: as a
    rule, while a visit is missed, and of an urgent order while it lies ready for her."""
    party, now = arguments.required_text("party"), reading.moment_or_none(arguments)
    book = open_book(reading.cursor)
    urgency = arguments.text("urgency")
    terms = book.terms(-1, "update", party, None, arguments.text("category"), urgency)
    promise, sooner, ready = None, None, None
    if now is not None:
        promise = promise_of_next_news(terms.clock, now, timedelta(microseconds=terms.allowed))
        sooner = after_missed_visit(book.policy.messages.after_missed_visit, terms.own, terms.day_length, now)
        if is_hurried(urgency):
            ready = while_it_lies_ready(book.clock_of(party), now)
    return {
        "closures": [row for row in reading.rows("closures") if row.pop("party") == party],
        "next_news_by": as_json(as_parameter(promise)),
        "next_news_after_missed_visit_by": as_json(as_parameter(sooner)),
        "next_news_while_ready_by": as_json(as_parameter(ready)),
        "time_zone": book.policy.calendar_of(party).time_zone,
    }


def parties(reading: Reading, arguments: Arguments) -> Row:
    """Everyone who spoke or was named, with their closures."""
    del arguments
    closed: dict[str, list[Row]] = {}
    for row in reading.rows("closures"):
        closed.setdefault(row.pop("party"), []).append(row)
    rows = reading.rows("parties")
    return {"parties": [{**row, "closures": closed.get(row["party"], [])} for row in rows]}
