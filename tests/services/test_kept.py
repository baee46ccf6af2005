"""What of a submission is kept with its rejection: enough to hand it in again, and nothing that could not be sent."""

from __future__ import annotations

import json

import pytest

from services.intake.contacts import without_contact
from services.intake.problems import Refusal
from services.intake.reading import ATTRIBUTES
from services.intake.rejecting import sendable, to_headers

PROBLEM = Refusal("invalid", "made up").problem("e1")
BINARY = {"ce-specversion": "1.0", "Content-Type": "application/json"}


def test_a_header_that_no_client_sends_is_not_kept() -> None:
    given = {
        "k\x01": "v",
        "a b": "v",
        "a:b": "v",
        "": "v",
        "x": "a\x00b",
        "ce-id": "é 1",
        "Content-Type": "application/json",
    }
    assert sendable(given) == {"ce-id": "é 1", "Content-Type": "application/json"}


def test_however_many_headers_come_what_is_kept_fits_the_server() -> None:
    many = {f"ce-extra{number}": "x" * 990 for number in range(64)} | {f"ce-{each}": "y" * 900 for each in ATTRIBUTES}
    assert sum(map(len, to_headers(PROBLEM.told(), many, 1).values())) < 48 * 1024


@pytest.mark.parametrize(
    ("headers", "document", "left"),
    [
        (None, {"specversion": "1.0", "data": {"contact": {"name": "N"}, "customer": "C"}}, {"customer": "C"}),
        (BINARY, {"contact": {"name": "N"}, "customer": "C"}, {"customer": "C"}),
        # In binary mode the body is the data, whatever its fields are called.
        (BINARY, {"specversion": "1.0", "contact": {"name": "N"}}, {"specversion": "1.0"}),
        (None, {"specversion": "1.0", "data": [1]}, [1]),
    ],
)
def test_a_contact_is_taken_off_in_either_mode(
    headers: dict[str, str] | None, document: dict[str, object], left: object
) -> None:
    found = json.loads(without_contact(headers, json.dumps(document).encode()))
    assert (found if headers else found["data"]) == left
