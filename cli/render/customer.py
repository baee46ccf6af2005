"""A customer: how she is reached and what she wants, her orders, what she was told; and what a word of hers became."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from cli.render.ledger import foot
from cli.render.lines import indented
from cli.render.look import status_text, with_parties
from cli.render.messages import letters_foot, message, waiting_foot
from cli.render.moments import Moments, parse
from cli.render.plain import many, word
from cli.render.sentences import sentence
from cli.render.tables import plain_table, product_text, where

Row = dict[str, Any]

_NO_MORE: Final = "Nobody is written to under this number any more, so no date of next news holds."

_IN_PERSON: Final = "She was forgotten, so nothing is written to her: an answer has to reach her in person."

#: So many orders are named before somebody is forgotten.
_NAMED: Final = 3


def customer(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The answers ``show`` and ``set`` of the desk."""
    yield Text(f"Customer {word(result.get('customer'))} of {word(result.get('opener'))}", style="bold")
    contact: Row | None = result.get("contact")
    if result.get("forgotten"):
        yield indented(Text(f"She was forgotten: her name and addresses are erased. {_NO_MORE}", style="yellow"), 2)
    elif contact is None:
        yield indented(Text("nothing is held about her: no name, no address", style="dim"), 2)
    else:
        for name, value in _preferences(contact, bool(result.get("paused")), moments):
            yield indented(Text(f"{name:<12}", style="dim").append(value, style="not dim"), 2)
        if not_served := [word(kind) for kind in result.get("not_served") or []]:
            kinds = " and ".join(not_served)
            yield indented(Text(f"No service is set for {kinds}: nothing reaches her that way.", style="yellow"), 2)
    orders: list[Row] = result.get("orders") or []
    if orders:
        yield Text("")
        table = plain_table("Order", "Status", "Opened", whole=("Opened",))
        for row in orders:
            opened = parse(row.get("opened_at"))
            status = word(row.get("status")).replace("_", " ")
            table.add_row(Text(word(row.get("order_id"))), Text(status), Text(moments.at(opened) if opened else "–"))
        yield table
    for row in result.get("messages") or []:
        yield Text("")
        # A date that she was promised holds no more, and would look as if it did.
        yield from message(row | {"next_news_by": None} if result.get("forgotten") else row, moments)
    if result.get("messages"):
        yield letters_foot(many(len(orders), "order"), moments)
        yield from waiting_foot(result["messages"])
    else:
        yield foot(many(len(orders), "order"), moments)


def found(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The answer ``find`` of the desk: a line for each order of each customer, open ones first."""
    customers: list[Row] = result.get("customers") or []
    if not customers:
        yield Text("No customer is called so.")
        return
    table = plain_table("Customer", "Number", "Order", "Product", "Status", "Held by", "Since", whole=("Since",))
    for who in customers:
        orders = sorted(who.get("orders") or [], key=lambda row: not row.get("open"))
        number = with_parties(f"{word(who.get('opener'))} {word(who.get('customer'))}")
        for row in orders or [{}]:
            since = parse(row.get("since"))
            table.add_row(
                Text(word(who.get("name"))),
                number,
                Text(word(row.get("order_id")) or "none", style="bold" if row else "dim"),
                product_text(row),
                status_text(row["status"]) if row.get("status") else Text("–"),
                where(row),
                Text(moments.day(since) if since else "–"),
            )
    yield table
    total = int(result.get("total") or len(customers))
    more = f" of {total:,}: say more of the name, or --limit" if total > len(customers) else ""
    yield foot(f"{many(len(customers), 'customer')}{more}", moments)


def to_forget(who: Row) -> str:
    """What to ask before somebody is forgotten for good."""
    named = f"customer {word(who.get('customer'))} of {word(who.get('opener'))}"
    if not who.get("known"):
        return f"Nothing is known of {named}. Never write to anybody under that number?"
    if who.get("forgotten"):
        return f"Forget {named}, who was forgotten already, once more?"
    orders = [word(order) for order in who.get("orders") or []]
    more = f" and {len(orders) - _NAMED:,} more" if len(orders) > _NAMED else ""
    of = f" ({many(len(orders), 'order')}: {', '.join(orders[:_NAMED])}{more})" if orders else ""
    return f"Forget {named}{of} for good?"


def forgotten(result: Row) -> Iterator[RenderableType]:
    """What ``forget`` did, and what it could not."""
    yield Text(f"Customer {word(result.get('customer'))} of {word(result.get('opener'))} is forgotten.")
    if not result.get("known"):
        yield Text("Nothing was known of her. Nobody will be written to under that number.")
        return
    yield Text(_NO_MORE)
    yield Text(f"Erased beside her record: letters {result['letters']}, rejected submissions {result['rejected']}.")
    yield Text("Copies that you made of the home folder, and what left by mail, are yours to look after.")


def _preferences(contact: Row, paused: bool, moments: Moments) -> Iterator[tuple[str, str]]:
    yield "name", word(contact.get("name")) or "–"
    channels: list[Row] = contact.get("channels") or []
    for number, channel in enumerate(channels):
        yield "" if number else "reached by", f"{word(channel.get('kind'))} {word(channel.get('address'))}"
    if not channels:
        yield "reached by", "nothing"
    yield "language", word(contact.get("language"))
    for field, name in (("time_zone", "time zone"), ("quiet", "quiet")):
        if contact.get(field):
            yield name, word(contact[field])
    if contact.get("not_told"):
        yield "not told", ", ".join(word(kind) for kind in contact["not_told"])
    until = parse(contact.get("paused_until"))
    if until is not None and paused:
        yield "paused", f"until {moments.at(until)}"


def replied(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """What a word of hers became."""
    if result.get("outcome") == "duplicate":
        yield Text(f"That is in the log about {word(result.get('order'))} already.", style="dim")
        yield from _nobody_writes(result)
        return
    yield Text(f"About {word(result.get('order'))}, the customer:", style="bold")
    for fact in result.get("facts") or []:
        yield indented(Text(sentence(word(fact.get("type")), fact.get("data"), moments, by_customer=True)), 2)
    yield from _nobody_writes(result)


def _nobody_writes(result: Row) -> Iterator[RenderableType]:
    """Whoever took a word of hers down may be in touch with her still."""
    if result.get("customer_forgotten"):
        yield Text(_IN_PERSON, style="yellow")
