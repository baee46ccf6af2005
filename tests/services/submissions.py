"""What partners of tests hand in."""

from __future__ import annotations

from typing import Any

SHOP = "retailer:acme"


def event(
    id: str, name: str = "order.opened", *, source: str = SHOP, subject: str = "W-1", **more: Any
) -> dict[str, Any]:
    """A CloudEvent of ours; an order that is opened is of something, unless ``data`` says otherwise."""
    data = more.pop("data", {"product": {"brand": "Example"}} if name == "order.opened" else {})
    return {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": f"repairchain.{name}.v1",
        "subject": subject,
        "time": "2026-03-02T09:00:00Z",
        "data": data,
        **more,
    }
