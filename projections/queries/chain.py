"""Many orders at once: lists, lanes between parties, what is stalled, figures."""

from __future__ import annotations

from projections.queries.arguments import Arguments, QueryError
from projections.queries.order import messages_of
from projections.queries.reading import Reading, Row
from projections.queries.travel import travel


def orders(reading: Reading, arguments: Arguments) -> Row:
    """Orders, those with the latest news first, and how many there are in all."""
    wanted = {
        "open": arguments.flag("open"),
        "holder": arguments.text("holder"),
        "status": arguments.text("status"),
    }
    limit, offset = arguments.number("limit", 100), arguments.number("offset", 0)
    travel(reading)
    rows = reading.rows("orders", **wanted, limit=limit, offset=offset)
    total = reading.rows("orders_total", **wanted)[0]["total"]
    return {"orders": rows, "total": total}


def handoffs(reading: Reading, arguments: Arguments) -> Row:
    """Per lane from party to party: how often, how often it arrived, and how long that took. Busiest first."""
    wanted = {"from_party": arguments.text("from"), "to_party": arguments.text("to")}
    limit = arguments.number("limit", 1_000)
    travel(reading)
    lanes = reading.rows("lanes", **wanted, limit=limit)
    return {"lanes": lanes, "totals": reading.rows("lanes_total", **wanted)[0]}


def stalled(reading: Reading, arguments: Arguments) -> Row:
    """Commitments whose due time has passed and that nobody has met. Longest overdue first."""
    now = arguments.moment("now") or reading.now or reading.as_of or reading.known_at
    if now is None:
        raise QueryError("say when: 'now' is missing")
    travel(reading)
    return {"stalled": reading.rows("stalled", now=now)}


def messages(reading: Reading, arguments: Arguments) -> Row:
    """Messages to customers with their texts: of one order as they came, or the latest of all."""
    name, limit = arguments.text("order"), arguments.number("limit", 100)
    if name is None:
        return {"messages": reading.rows("messages", limit=limit)}
    return {"messages": messages_of(reading, name)[:limit]}


def stats(reading: Reading, arguments: Arguments) -> Row:
    """The figures of the whole chain."""
    del arguments
    return reading.rows("stats")[0]


def closures(reading: Reading, arguments: Arguments) -> Row:
    """When one party is closed, as it announced."""
    party = arguments.required_text("party")
    return {"closures": [row for row in reading.rows("closures") if row.pop("party") == party]}


def parties(reading: Reading, arguments: Arguments) -> Row:
    """Everyone who spoke or was named, with their closures."""
    del arguments
    closed: dict[str, list[Row]] = {}
    for row in reading.rows("closures"):
        closed.setdefault(row.pop("party"), []).append(row)
    rows = reading.rows("parties")
    return {"parties": [{**row, "closures": closed.get(row["party"], [])} for row in rows]}
