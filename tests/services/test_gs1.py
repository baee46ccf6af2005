"""Numbers of GS1's: what cannot be right is told in a sentence, and what is none of them passes."""

from __future__ import annotations

import pytest

from services.gs1 import check_digit, fault_of


@pytest.mark.parametrize(
    "number", ["4006381333931", "9780306406157", "5901234123457", "00012345600012", "036000291452", "73513537"]
)
def test_the_check_digit_is_that_of_numbers_that_are_known(number: str) -> None:
    assert check_digit(number[:-1]) == number[-1]


@pytest.mark.parametrize(
    "identifier",
    [
        "4006381333931",
        "urn:epc:id:pgln:4012345.00225",
        "urn:epc:id:pgln:061414.177777",
        "urn:epc:id:pgln:061414177777.",
        "URN:EPC:ID:PGLN:0614141.00777",
        "urn:epc:id:sgln:4012345.00225.0",
        "urn:epc:id:sgln:4012345.00225.dock%2F7",
        "https://id.gs1.org/417/4006381333931",
        "https://acme.example/some/414/4006381333931/254/7?linkType=all",
        # None of GS1's.
        "urn:repairchain:importer:noord",
        "urn:duns:123456789",
        "123456789",
        "https://acme.example/parties/12",
        "Noord, importers",
    ],
)
def test_what_can_be_right_passes(identifier: str) -> None:
    assert fault_of(identifier) is None


@pytest.mark.parametrize(
    ("identifier", "fault"),
    [
        ("4006381333932", "after 400638133393 the check digit is 1, not 2"),
        ("400638133393", "a GLN has 13 digits"),
        ("40063813339311", "a GLN has 13 digits"),
        ("https://id.gs1.org/417/4006381333913", "the check digit is 7, not 3"),
        ("https://id.gs1.org/414/noord", "a GLN has 13 digits, and 'noord' is not that"),
        ("urn:epc:id:pgln:4012345.0022", "12 digits together, without the check digit, and '4012345.0022' has 11"),
        ("urn:epc:id:pgln:4012345.002257", "'4012345.002257' has 13"),
        ("urn:epc:id:pgln:40123.4500225", "a company's prefix has 6 to 12 digits, and '40123' has 5"),
        ("urn:epc:id:pgln:4012345002257", "it is written like urn:epc:id:pgln:4012345.00225"),
        ("urn:epc:id:pgln:4012345.00225.0", "is no PGLN"),
        ("urn:epc:id:sgln:4012345.00225", "it is written like urn:epc:id:sgln:4012345.00225.0"),
    ],
)
def test_what_cannot_be_right_is_told(identifier: str, fault: str) -> None:
    assert fault in (fault_of(identifier) or "")
