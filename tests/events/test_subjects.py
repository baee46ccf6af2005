"""Any name becomes one token and comes back; the longest still fits on the server's line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.envelope import MAX_ID_BYTES
from events.party import MAX_NAME_BYTES
from events.subjects import (
    held_subject,
    intake_subject,
    log_subject,
    order_filter,
    party_of_subject,
    rejected_subject,
    token,
    untoken,
)


@given(st.text(min_size=1))
def test_every_text_becomes_a_token_and_comes_back(text: str) -> None:
    encoded = token(text)
    assert re.fullmatch(r"[A-Za-z0-9_=-]+", encoded)
    assert untoken(encoded) == text


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_texts_never_share_a_token(one: str, other: str) -> None:
    assert (token(one) == token(other)) == (one == other)


def test_known_tokens() -> None:
    assert token("W-1001") == "W-1001"
    assert token("V13 2nd.*>é=") == "V13=202nd=2E=2A=3E=C3=A9=3D"


@pytest.mark.parametrize("text", ["", "a.b", "a=2", "a=zz", "a=2e", "é"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an encoded name"):
        untoken(text)


def test_an_empty_name_has_no_token() -> None:
    with pytest.raises(ValueError, match="empty"):
        token("")


def test_subjects_name_order_and_party() -> None:
    assert log_subject("W 1", "item.received") == "repairs.W=201.item.received"
    assert order_filter("W.1") == "repairs.W=2E1.>"
    assert intake_subject("retailer:acme & co") == "intake.retailer.acme=20=26=20co"
    assert party_of_subject("intake.retailer.acme=20=26=20co") == "retailer:acme & co"
    assert rejected_subject("retailer:acme", "") == "rejected.retailer.acme.-.refused"
    assert rejected_subject("retailer:acme", "W.1", held=True) == "rejected.retailer.acme.W=2E1"
    assert held_subject("retailer", "W.1") == "rejected.retailer.*.W=2E1"


def test_the_longest_names_fit_on_a_line_of_the_protocol() -> None:
    order = "é" * (MAX_ID_BYTES // 2)
    party = "repairer:" + "é" * (MAX_NAME_BYTES // 2)
    assert len(rejected_subject(party, order)) + 200 < 4_096
