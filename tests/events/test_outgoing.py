"""Many messages in one write arrive as if each had been published by itself."""

from __future__ import annotations

import pytest
from nats.aio.msg import Msg
from nats.errors import BadHeaderError, BadSubjectError, ConnectionClosedError, MaxPayloadError

from events.outgoing import frame, write
from tests.chainserver import ChainServer


def test_a_line_break_cannot_begin_another_message() -> None:
    with pytest.raises(BadSubjectError):
        frame("a.b 0\r\n\r\nPUB other", b"")
    with pytest.raises(BadSubjectError):
        frame("")
    with pytest.raises(BadHeaderError):
        frame("a", b"", {"X": "1\r\nY: 2"})
    with pytest.raises(BadHeaderError):
        frame("a", b"", {"X: 1\r\nY": "2"})


async def test_what_is_written_together_arrives_in_order_with_its_headers(chain_server: ChainServer) -> None:
    connection = await chain_server.connect("keeper")
    listening = await connection.subscribe("bare.>")
    large = b"x" * 200_000  # several of them fill the client's buffer more than once
    sent = [(f"bare.{number}", large if number % 3 else b"", {"Number": str(number)}) for number in range(30)]
    await write(connection, (frame(*each) for each in sent))
    await write(connection, [frame("bare.plain", b"\r\nPUB bare.other 0\r\n")])

    came: list[Msg] = [await listening.next_msg(timeout=5) for _ in range(31)]
    assert [(each.subject, each.data, each.headers) for each in came[:-1]] == sent
    assert (came[-1].subject, came[-1].data, came[-1].headers) == ("bare.plain", b"\r\nPUB bare.other 0\r\n", None)
    await connection.close()


async def test_what_the_server_would_end_the_connection_for_is_not_sent(chain_server: ChainServer) -> None:
    connection = await chain_server.connect("keeper")
    listening = await connection.subscribe("bare.>")
    # The server counts the headers, too.
    large = b"x" * (connection.max_payload - 5)
    with pytest.raises(MaxPayloadError):
        await write(connection, [frame("bare.large", large, {"A": "b"})])
    await write(connection, [frame("bare.large", large)])
    assert (await listening.next_msg(timeout=5)).data == large

    await connection.close()
    with pytest.raises(ConnectionClosedError):
        await write(connection, [frame("bare.late")])
