"""One order at a glance: what it is, where it stands, whose move it is, what the customer knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.render.look import AT_HOME, TOLD_WORDS, spoken, status_style, with_parties
from cli.render.moments import Moments, parse
from cli.render.move import by, move, waited_for
from cli.render.outcomes import counts
from cli.render.owed import at_home, is_customer, is_void_news, step, who
from cli.render.plain import clean, many, word
from cli.render.sentences import PARCEL_WORDS, product_name

Row = dict[str, Any]


#: What she waits for besides the repair itself and news of it.
_WAITS_FOR: Final = {"answer": "an answer", "call": "a call"}


def order_panel(
    order: Row, moments: Moments, commitments: Sequence[Row] = (), *, counted: bool = True
) -> RenderableType:
    """The panel on top of a timeline, and all of ``status``.

    ``commitments`` add what she waits for, an answer or a call, and if ``counted`` a line on how many were kept.
    """
    facts = Table.grid(padding=(0, 2), expand=True)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(ratio=1, overflow="fold")
    for label, text in _lines(order, moments, commitments, counted):
        facts.add_row(label, text)
    return Panel(
        Group(_headline(order, moments), Text(""), facts),
        title=Text(clean(order.get("order_id", "?")), style="bold"),
        title_align="left",
        subtitle=Text(f"times are {moments.zone_name()}", style="dim"),
        subtitle_align="right",
        box=box.ROUNDED,
        border_style="dim",
    )


def _headline(order: Row, moments: Moments) -> Text:
    """What it is; below, where it stands."""
    product = product_name(order) or "Product not known"
    line = Text(product, style="bold")
    if order.get("serial"):
        line.append(f", serial {word(order['serial'])}", style="not bold")
    line.append("\n")
    line.append(_standing(order, moments), style=status_style(order.get("status")) or "bold")
    return line


def _standing(order: Row, moments: Moments) -> str:
    status = spoken(order.get("status"))
    status = status[:1].upper() + status[1:]
    if order.get("outcome") and not order.get("open"):
        status += f": {spoken(order['outcome'])}"
    opened, closed = parse(order.get("opened_at")), parse(order.get("closed_at"))
    if order.get("open", True):
        since = parse(order.get("since"))
        if order.get("heading_to"):
            status += f" to {word(order['heading_to'])}"
        return f"{status} since {moments.both(since)}" if since else status
    if closed and opened:
        days = moments.days_between(opened, closed)
        return f"{status} on {moments.both(closed)}, {'after ' + many(days, 'day') if days else 'the same day'}"
    return status


def _lines(order: Row, moments: Moments, commitments: Sequence[Row], counted: bool) -> list[tuple[str, Text]]:
    lines: list[tuple[str, Text]] = []
    if order.get("fault_text"):
        lines.append(("Complaint", Text(word(order["fault_text"]))))
    opened = parse(order.get("opened_at"))
    if opened:
        by = f" by {word(order['opened_by'])}" if order.get("opened_by") else ""
        lines.append(("Opened", with_parties(f"{moments.both(opened)}{by}")))
    lines.append(_whereabouts(order))
    if parcel := _parcel(order.get("parcel"), moments):
        lines.append(("Parcel", parcel))
    if order.get("accountable"):
        lines.append(("Answers for it", with_parties(word(order["accountable"]))))
    if order.get("ball") and not is_void_news(order["ball"], order):
        lines.append(("Next", move(at_home(order["ball"], order), moments)))
    elif order.get("next_step") and not order.get("ball"):
        lines.append(("Next", _next(order, moments)))
    if waited := waited_for(order.get("time_spent") or []):
        lines.append(("Waited for", waited))
    lines += _told(order, moments)
    if waits := _waits_for(order, moments, commitments):
        lines.append(("She waits for", waits))
    if order.get("merged"):
        lines.append(("One with", Text(", ".join(word(other) for other in order["merged"]))))
    references = [f"{word(each.get('party'))} {word(each.get('reference'))}" for each in order.get("references") or []]
    if order.get("customer"):
        references.insert(0, f"customer {word(order['customer'])}")
    if references:
        lines.append(("Known as", with_parties(" · ".join(references))))
    if commitments and counted:
        lines.append(("Owed", counts(list(commitments), moments)))
    lines.append(("So far", _counts(order)))
    return lines


def _waits_for(order: Row, moments: Moments, commitments: Sequence[Row]) -> Text:
    """What is owed to her and is not the next step anyway: that one is told above."""
    ball, text = order.get("ball") or {}, Text("")
    if order.get("customer_forgotten"):
        return text
    for row in commitments:
        known = all(row.get(name) == ball.get(name) for name in ("kind", "topic", "owner"))
        if known or row.get("kind") not in _WAITS_FOR or row.get("state") not in ("open", "overdue"):
            continue
        if is_customer(row.get("owed_to")) and not is_customer(row.get("owner")):
            text.append(" · " if text else "")
            text.append_text(with_parties(f"{_WAITS_FOR[word(row['kind'])]} from {word(row.get('owner'))}"))
            text.append_text(by(parse(row.get("due_at")), moments))
    return text


def _whereabouts(order: Row) -> tuple[str, Text]:
    """Who has it; while it is on its way nobody has, and whoever sent it is all that is known.

    What is mended at her home is held by nobody else, whoever opened the order.
    """
    if order.get("at_home"):
        return "Held by", Text(AT_HOME)
    holder = word(order.get("holder"))
    if not order.get("heading_to") or not order.get("open", True):
        return "Held by", with_parties(who(holder) if holder else "nobody known")
    sender = f", sent by {holder}" if holder else ""
    return "Under way", with_parties(f"to {word(order['heading_to'])}{sender}")


def _parcel(parcel: Row | None, moments: Moments) -> Text | None:
    """Where the carrier says that it is, until whoever it goes to says that it came in."""
    at = parse(parcel.get("carrier_at")) if parcel else None
    if not parcel or not at or parcel.get("arrived"):
        return None
    status = word(parcel.get("carrier_status"))
    text = f"{word(parcel.get('tracking_number'))} {PARCEL_WORDS.get(status, spoken(status))}, {moments.both(at)}"
    by = word(parcel.get("carrier")) or "the carrier"
    receipt = f"; no word of it from {word(parcel.get('to_party'))} yet" if status == "delivered" else ""
    return with_parties(f"{text}, says {by}{receipt}")


def _next(order: Row, moments: Moments) -> Text:
    text = with_parties(f"{who(order.get('next_owner'))} is to {step(order)}")
    return text.append_text(by(parse(order.get("next_due")), moments))


def _told(order: Row, moments: Moments) -> list[tuple[str, Text]]:
    told, news = parse(order.get("last_told_at")), parse(order.get("next_news_by"))
    if not told and not order.get("customer"):
        return []
    forgotten = bool(order.get("customer_forgotten"))
    lines = [("Customer", Text("was forgotten: she is told nothing any more", style="yellow"))] if forgotten else []
    if not told:
        return lines or [("Customer", Text("has not been told anything yet", style="red"))]
    kind = word(order.get("last_told_kind"))
    what = TOLD_WORDS.get(kind, kind)
    heard = "was asked whether all is well" if kind == "check" else what if forgotten else f"told {what}"
    lines.append(("Last told" if forgotten else "Customer", Text(f"{heard} on {moments.both(told)}".strip())))
    if news and order.get("open", True) and not forgotten:
        text = f"by {moments.at(news)} ({moments.left(news)})"
        lines.append(("Hears again", Text(text, style="red" if news < moments.now else "")))
    return lines


def _counts(order: Row) -> Text:
    def count(field: str) -> int:
        value = order.get(field)
        return value if isinstance(value, int) else 0

    contacts = count("contacts_started")
    text = Text(
        f"{many(count('facts'), 'fact')} · {many(count('handoffs'), 'handoff')}"
        f" · {many(count('messages_sent'), 'message')} to the customer · "
    )
    text.append(f"{many(contacts, 'contact')} started by the customer", style="yellow" if contacts else "")
    if count("ping_pongs"):
        # Once is the way home, repaired or not; more often it was sent to and fro.
        style = "yellow" if count("ping_pongs") > 1 else ""
        text.append(f" · there and back {_times(count('ping_pongs'))}", style=style)
    if count("reopenings"):
        text.append(f" · reopened {_times(count('reopenings'))}", style="yellow")
    return text


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
