"""Whether the customers of what is shown were forgotten: then nobody gives them the news that was promised, or calls.

The desk of the running chain alone knows that: the log holds nothing by which a customer could be forgotten. Where no
chain runs, or it is asked how things were at another moment, nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cli.render.owed import is_answer_to_her, is_void_news, is_word_to_her

if TYPE_CHECKING:
    from nats.aio.client import Client

Row = dict[str, Any]

#: The desk may be busy with a long question; what is shown does not wait for that (seconds).
_PATIENCE: Final = 2.0
_OPEN: Final = ("open", "overdue", "paused")
#: Whose order it is, is asked about so many at a time: the answer holds their stories, and has to fit into a message.
_AT_ONCE: Final = 50


async def mark_order(connection: Client, order: Row | None) -> None:
    """Say in ``customer_forgotten`` of ``order`` whether its customer was; then no date of next news holds."""
    await mark_orders(connection, [order] if order is not None else [])


async def mark_orders(connection: Client, orders: Iterable[Row]) -> None:
    """The same of several orders."""
    whose = [(order, (order.get("opened_by"), order.get("customer"))) for order in orders]
    gone = await _forgotten(connection, {who for _, who in whose if all(who)})
    for order, who in whose:
        order["customer_forgotten"] = who in gone if gone is not None and all(who) else None
        if order["customer_forgotten"]:
            order["next_news_by"] = None
        if is_void_news(order.get("ball") or {}, order):
            order |= {"next_step": None, "next_owner": None, "next_due": None}


async def mark_story(connection: Client, result: Row) -> None:
    """The same of a timeline: of its order, and of the news that is owed to the customer."""
    order: Row | None = result.get("order")
    await mark_order(connection, order)
    for row in result.get("commitments") or []:
        row["customer_forgotten"] = order.get("customer_forgotten") if order and _is_news(row) else None


async def mark_owed(connection: Client, rows: Iterable[Row]) -> None:
    """Say in ``customer_forgotten`` of each row whether it is news to a customer who was forgotten, where it is news.

    An order's customer is one of the party that answers for it, which is whoever opened it.
    """
    whose = [(row, (row.get("accountable"), _customer(row))) for row in rows]
    gone = await _forgotten(connection, {who for row, who in whose if _is_news(row) and all(who)})
    for row, who in whose:
        row["customer_forgotten"] = who in gone if gone is not None and _is_news(row) else None


async def mark_messages(connection: Client, rows: Iterable[Row]) -> None:
    """Say in ``customer_forgotten`` of each message that promises further news, whether its reader was."""
    await _mark_by_order(connection, [row for row in rows if row.get("next_news_by")], "order_id")


async def mark_listed(connection: Client, rows: Iterable[Row]) -> None:
    """The same of what is owed, in rows that name the order alone."""
    await _mark_by_order(connection, [row for row in rows if _is_news(row)], "order")


async def mark_list(connection: Client, rows: Iterable[Row], words: Iterable[Row]) -> None:
    """The same of a party's list, also of an answer that is owed to a customer, and of ``words``, which are theirs:
    whoever asked and was forgotten cannot be called."""
    owed = [row for row in rows if _is_news(row) or is_answer_to_her(row)]
    await _mark_by_order(connection, [*owed, *words], "order")


async def _mark_by_order(connection: Client, rows: Sequence[Row], order: str) -> None:
    whose = await _customers_of(connection, {str(row[order]) for row in rows})
    gone = await _forgotten(connection, set(whose.values()))
    for row in rows:
        who = whose.get(str(row[order]))
        row["customer_forgotten"] = None if gone is None or who is None else who in gone


async def _customers_of(connection: Client, orders: Iterable[str]) -> dict[str, tuple[Any, Any]]:
    """Opener and number of the customer of each order that has one; nothing where that cannot be found out now."""
    from services.answering import NoAnswerError, QuestionError, ask

    asked, found = sorted(orders), {}
    since = datetime.now(UTC).isoformat()  # of her letters nothing is to be told
    for begin in range(0, len(asked), _AT_ONCE):
        about = {"orders": asked[begin : begin + _AT_ONCE], "letters_since": since}
        try:
            histories = (await ask(connection, "histories", about, timeout=_PATIENCE))["histories"]
        except (NoAnswerError, QuestionError):
            continue
        for name, history in histories.items():
            order = history["order"] or {}
            if order.get("opened_by") and order.get("customer"):
                found[name] = (order["opened_by"], order["customer"])
    return found


def unmarked(rows: Iterable[Row]) -> None:
    """``customer_forgotten`` is there, also where nobody was asked."""
    for row in rows:
        row.setdefault("customer_forgotten", None)


def _is_news(row: Row) -> bool:
    return is_word_to_her(row) and row.get("state") in _OPEN


def _customer(row: Row) -> str | None:
    role, _, reference = str(row.get("owed_to") or "").partition(":")
    return reference if role == "customer" else None


async def _forgotten(connection: Client, customers: Iterable[tuple[Any, Any]]) -> set[tuple[Any, Any]] | None:
    """Those of ``customers`` (opener, number) who were; None where the desk is away."""
    from services.desk.calling import DeskAwayError, call_desk
    from services.desk.problems import DeskError

    asked = sorted(customers)
    if not asked:
        return set()
    try:
        answer = await call_desk(connection, "forgotten", {"customers": asked}, timeout=_PATIENCE)
    except (DeskAwayError, DeskError):
        return None
    return {(opener, number) for opener, number in answer["customers"]}
