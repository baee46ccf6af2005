"""Headers are read as nats-py reads them, whatever the server sends."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from nats.aio.client import Client

from services.headers import HeaderClient

#: What a line may be cut at, and what may be taken for the end of a name.
PIECES = st.sampled_from(
    [b":", b"\r\n", b"\r", b"\n", b" ", b"\t", b"\x1c", b"\xa0", b"\xff", "é".encode(), b"Nats-Msg-Id"]
)
LINES = st.lists(PIECES | st.binary(max_size=4), max_size=24).map(b"".join)


@given(LINES)
@example(b"Nats-Msg-Id: a\r\nNats-Batch-Id: b:c\r\nNats-Batch-Sequence:12\r\n\r\n")
@example(b"a b: 1\r\nb\x1c: 2\r\n" + b"n" * 100 + b": 3\r\n: 4\r\na:\r\na: 5\r\n")
def test_headers_are_read_as_by_nats_py(raw: bytes) -> None:
    again = [HeaderClient._parse_header_lines(raw) for _ in range(2)]  # made, and remembered
    assert again == [Client._parse_header_lines(raw)] * 2
