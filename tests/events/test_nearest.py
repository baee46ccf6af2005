"""What may be meant by a type that is not in the vocabulary."""

from __future__ import annotations

import pytest

from events.nearest import nearest_facts


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("repairchain.item.recieved.v1", "item.received"),
        ("repairchain.Item_Received.v2", "item.received"),
        ("handed_over", "item.handed_over"),
        ("order.created", None),  # is not "reopened"
        ("com.example.shipment", None),
        ("item.received" + "d" * 1_000, None),
        ("", None),
    ],
)
def test_the_likest_comes_first(written: str, meant: str | None) -> None:
    assert next(iter(nearest_facts(written)), None) == meant
