"""All that is wrong with a submission is told at once."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.checking import check
from services.intake.faults import problem_of
from services.intake.problems import Fault, Problem, Refusal
from services.intake.reading import read_event
from services.intake.rejecting import to_headers

INVALID = Refusal("invalid", "something")
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
    return {fault.pointer for fault in problem_of(INVALID, "e1", document).errors or ()}


def test_envelope_data_and_contact_are_all_looked_at() -> None:
    document = GOOD | {"time": "soon", "data": {"product": {"colour": "red"}, "size": 3, "contact": {"language": "?"}}}
    assert faults(document) == {"/time", "/data/product/colour", "/data/size", "/data/contact/language"}


def test_a_field_that_is_missing_is_one_of_them() -> None:
    assert faults({key: value for key, value in GOOD.items() if key != "subject"} | {"data": {}}) >= {"/subject"}


def test_what_is_not_the_documents_fault_has_none() -> None:
    refused = Refusal("unknown-order", "no such")
    assert problem_of(refused, "e1", GOOD | {"time": "soon"}) == refused.problem("e1")
    assert problem_of(INVALID, "e1", GOOD) == INVALID.problem("e1")


def test_there_are_at_most_ten_and_they_fit_into_a_header() -> None:
    data = {f"{number}" + "é" * 5_000: number for number in range(50)}
    problem = problem_of(INVALID, "e1", GOOD | {"data": data})
    assert len(problem.errors or ()) == 10
    packed = to_headers(problem.told(), {"x": "y" * 5_000}, 1)
    assert sum(map(len, packed.values())) < 48 * 1024  # the server takes 64 KiB of headers


def test_a_problem_of_before_is_still_read() -> None:
    assert Problem.model_validate({"type": "t", "title": "T", "detail": "d"}).errors is None
    assert Fault(detail="d").pointer is None


def test_what_the_detail_speaks_of_comes_first() -> None:
    document = GOOD | {"data": {"complaint": "x", "contact": {"email": "x"}}}
    contact = Refusal("invalid", "something", "/data/contact/email")
    found = problem_of(contact, "e1", document).errors or ()
    assert found[0].pointer == "/data/contact/email"
    assert "/data/complaint" in {fault.pointer for fault in found}


@pytest.mark.parametrize(
    "wrong",
    [
        {"time": "soon", "subject": ""},
        {"time": "soon", "data": {"size": 3}},
        {"data": {"product": {"colour": "red"}, "size": 3}},
        {"data": {"product": "a watch", "customer": 7, "contact": {"language": "?"}}},
        {"data": {"product": {"colour": "red"}, "contact": {"name": "N", "language": "en"}}},
    ],
)
def test_what_was_found_when_it_was_refused_is_what_would_be_found_anew(wrong: dict[str, Any]) -> None:
    document = GOOD | wrong
    event = None
    try:
        event = read_event(document)
        refusal = check(event, "retailer:acme")
    except Refusal as refused:
        refusal = refused
    assert isinstance(refusal, Refusal)
    anew = Refusal(refusal.kind, refusal.detail, refusal.pointer)
    found = problem_of(refusal, "e1", document, event)
    assert found == problem_of(anew, "e1", document, event)
    assert found.errors
    assert found.errors[0].pointer == found.pointer
