"""The figures of ``stats``, with the headline first: contacts that customers had to start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render.moments import exact

Row = dict[str, Any]

_GROUPS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("customer_contacts", "Contacts that customers had to start"),
        ("contacts_per_order", "… per order with a customer"),
        ("orders_with_contacts", "… orders that had any"),
        ("messages", "Messages to customers"),
        ("first_message_p50", "First automatic message after her first word, p50"),
        ("first_message_p90", "… p90"),
        ("first_answer_p50", "First answer by a person, p50"),
        ("first_answer_p90", "… p90"),
    ),
    (
        ("orders", "Orders"),
        ("open_orders", "… open"),
        ("reopened_orders", "… reopened at least once"),
        ("reopenings", "Reopenings"),
        ("ping_pong_orders", "Orders that went there and back"),
    ),
    (
        ("handoffs", "Handoffs"),
        ("handoffs_received", "… received"),
        ("handoffs_never_received", "… never received"),
        ("wait_p50", "Wait for the receipt, p50"),
        ("wait_p90", "… p90"),
        ("wait_p99", "… p99"),
    ),
    (
        ("commitments_open", "Commitments open"),
        ("commitments_overdue_noted", "… noted as overdue"),
    ),
    (
        ("facts", "Facts"),
        ("unknown_facts", "… of types that this version does not know"),
        ("parties", "Parties"),
        ("rejected", "Rejected submissions"),
        ("held", "Held for their orders"),
        ("position", "Position in the log"),
    ),
)

_SHARES: Final = ("_p50", "_p90", "_p99")


def stats(result: Row) -> Iterator[RenderableType]:
    """The query ``stats`` (with ``rejected`` and ``held`` beside it)."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    shown: set[str] = set()
    for group in _GROUPS:
        if shown:
            table.add_row("", "")
        for field, label in group:
            if field in result:
                table.add_row(Text(label), _figure(field, result[field]))
            shown.add(field)
    for field in sorted(set(result) - shown):
        table.add_row(Text(field.replace("_", " ")), _figure(field, result[field]))
    yield table
    if any(result.get(field) is not None for field in shown if field.endswith(_SHARES)):
        yield Text("\np50, p90, p99: half, 90 % and 99 % of them came within this time.", style="dim")


def _figure(field: str, value: Any) -> Text:
    if field.startswith(("wait_", "first_")):
        return Text(exact(value) if isinstance(value, int | float) else "–")
    if value is None and field not in ("rejected", "held"):
        return Text("–")
    if value is None:
        return Text("only known while the chain runs", style="dim")
    return Text(f"{value:,}" if isinstance(value, int) else str(value), style="bold")
