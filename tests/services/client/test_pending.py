"""Which receipt belongs to which event: given what came in which order, then the receipt, or none yet."""

from __future__ import annotations

import pytest

from services.client.pending import Pending
from services.submission import Receipt


def receipt(sequence: int, id: str | None = "e1", outcome: str = "accepted") -> Receipt:
    return Receipt("retailer:acme", id, outcome, sequence)


def test_a_receipt_is_told_by_the_place_that_the_acknowledgement_named() -> None:
    pending = Pending("e1")
    pending.acknowledged(7)
    pending.hear(receipt(6))
    assert pending.receipt is None
    pending.hear(receipt(7))
    assert pending.receipt == receipt(7)


def test_a_receipt_may_come_before_the_acknowledgement() -> None:
    pending = Pending("e1")
    pending.hear(receipt(7, None, "rejected"))
    assert pending.receipt is None
    pending.acknowledged(7)
    assert pending.receipt == receipt(7, None, "rejected")


@pytest.mark.parametrize("lost_first", [True, False])
def test_without_an_acknowledgement_the_id_tells(lost_first: bool) -> None:
    pending = Pending("e1")
    if lost_first:
        pending.unsure()
    pending.hear(receipt(8, "e2"))
    pending.hear(receipt(8, None))
    pending.hear(receipt(9))
    pending.unsure()
    assert pending.receipt == receipt(9)


def test_another_use_of_the_same_id_is_not_ours() -> None:
    """Its rejection (the id was used for another order) must not be taken for that of this one."""
    pending = Pending("e1")
    pending.acknowledged(3)
    pending.hear(receipt(4, "e1", "rejected"))
    assert pending.receipt is None


async def test_whoever_waits_looks_up_when_a_receipt_may_have_been_missed() -> None:
    pending = Pending("e1")
    assert await pending.answered(0) is None
    pending.acknowledged(3)
    pending.hear(receipt(3))
    assert await pending.answered(60) == receipt(3)
