"""Given what a shop calls its customer, when that tells who she is, then it is refused, and never repeated."""

from __future__ import annotations

import pytest

from services.contact import Channel, Contact
from services.intake.references import fault_in_reference

HER = Contact(
    name="Zo van Unlikely",
    channels=(Channel(kind="email", address="zo.unlikely@post.example"), Channel(kind="sms", address="+31612345678")),
)


@pytest.mark.parametrize(
    "reference",
    [
        "zo@other.example",
        "C-77 Unlikely",
        "UNLIKELY2026",
        "zovanunlikely",
        "Zo-van-Unlikely-1",
        "zo.unlikely(at)post.example",
        "0612345678",
        "C-06 12 34 56 78",
    ],
)
def test_what_tells_who_she_is_is_a_fault(reference: str) -> None:
    fault = fault_in_reference(reference, HER)
    assert fault is not None
    assert reference not in fault


@pytest.mark.parametrize("reference", ["C-77", "van-12", "2026/000123", "ZO-1", "ACME-likely-7", "€ 12", "客户77"])
def test_a_number_or_a_code_is_none(reference: str) -> None:
    assert fault_in_reference(reference, HER) is None


def test_without_a_contact_an_address_is_still_one() -> None:
    assert fault_in_reference("zo@post.example", None) is not None
    assert fault_in_reference("Unlikely", None) is None
