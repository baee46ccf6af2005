"""All that is wrong with a submission is told at once."""

from __future__ import annotations

from typing import Any

from services.intake.faults import with_all_faults
from services.intake.problems import Fault, Problem, Refusal
from services.intake.rejecting import to_headers

INVALID = Refusal("invalid", "something").problem("e1")
GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "retailer:acme",
    "type": "repairchain.order.opened.v1",
    "subject": "W-1",
    "time": "2026-11-20T10:00:00Z",
    "data": {"product": {"model": "M"}},
}


def faults(document: dict[str, Any]) -> set[str | None]:
    return {fault.pointer for fault in with_all_faults(INVALID, document).errors or ()}


def test_envelope_data_and_contact_are_all_looked_at() -> None:
    document = GOOD | {"time": "soon", "data": {"product": {"colour": "red"}, "size": 3, "contact": {"language": "?"}}}
    assert faults(document) == {"/time", "/data/product/colour", "/data/size", "/data/contact/language"}


def test_a_field_that_is_missing_is_one_of_them() -> None:
    assert faults({key: value for key, value in GOOD.items() if key != "subject"} | {"data": {}}) >= {"/subject"}


def test_what_is_not_the_documents_fault_has_none() -> None:
    refused = Refusal("unknown-order", "no such").problem("e1")
    assert with_all_faults(refused, GOOD | {"time": "soon"}) == refused
    assert with_all_faults(INVALID, GOOD) == INVALID


def test_there_are_at_most_ten_and_they_fit_into_a_header() -> None:
    data = {f"{number}" + "é" * 5_000: number for number in range(50)}
    problem = with_all_faults(INVALID, GOOD | {"data": data})
    assert len(problem.errors or ()) == 10
    packed = to_headers(problem, {"x": "y" * 5_000}, 1)
    assert sum(map(len, packed.values())) < 48 * 1024  # the server takes 64 KiB of headers


def test_a_problem_of_before_is_still_read() -> None:
    assert Problem.model_validate({"type": "t", "title": "T", "detail": "d"}).errors is None
    assert Fault(detail="d").pointer is None


def test_what_the_detail_speaks_of_comes_first() -> None:
    document = GOOD | {"data": {"complaint": "x", "contact": {"email": "x"}}}
    contact = INVALID.model_copy(update={"pointer": "/data/contact/email"})
    found = with_all_faults(contact, document).errors or ()
    assert found[0].pointer == "/data/contact/email"
    assert "/data/complaint" in {fault.pointer for fault in found}
