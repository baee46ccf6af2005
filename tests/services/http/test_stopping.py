"""While the service stops everybody has an answer: what is safe is said to be, and all else is to come again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import orjson
import pytest
from starlette.types import Receive, Scope, Send

from services.ending import within
from services.http.answering import Answering
from services.http.openapi import document
from services.http.serving import Where, serving
from tests.chainserver import ChainServer
from tests.services.http.counter import STRUCTURED, Caller, Counter, open_counter
from tests.services.submissions import SHOP, event
from tests.waiting import eventually


async def stored(counter: Counter) -> int:
    js = (await counter.server.connect("keeper")).jetstream()
    return (await js.stream_info("INTAKE_RETAILER_acme")).state.messages


async def test_what_waits_for_its_receipt_is_safe_and_is_told_so(chain_server: ChainServer) -> None:
    async with open_counter(chain_server, wait=60.0) as counter:
        shop = await counter.caller(SHOP)
        waiting = asyncio.create_task(shop.post("/events", event("e1")))

        async def is_safe() -> bool:
            return await stored(counter) == 1

        await eventually(is_safe)
        await within(5, counter.http.stop())
        answer = await waiting
        assert (answer.status_code, answer.json()) == (202, {"id": "e1", "outcome": "pending"})
        assert await stored(counter) == 1


class Half:
    """A request whose body does not come to its end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def rest(self, body: bytes) -> None:
        self._writer.write(body)
        await self._writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by their names in lower case, and the body."""
        head, _, body = (await self._reader.read()).partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(status.split()[1]), headers, body


@asynccontextmanager
async def half_a_request(shop: Caller, body: bytes) -> AsyncIterator[Half]:
    """POST /events, of which the service has read ``body`` but for its last byte."""
    where = urlsplit(shop.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    lines = ["POST /events HTTP/1.1", f"Host: {where.netloc}", f"Authorization: {shop.headers['Authorization']}"]
    lines += [f"Content-Type: {STRUCTURED}", f"Content-Length: {len(body)}", "Expect: 100-continue", "", ""]
    writer.write("\r\n".join(lines).encode())
    assert b"100" in await reader.readuntil(b"\r\n\r\n")  # somebody reads the body
    writer.write(body[:-1])
    try:
        yield Half(reader, writer)
    finally:
        writer.close()


async def test_what_does_not_come_to_its_end_is_told_to_come_again_and_nothing_of_it_is_taken(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.http.answering.ANSWERED", 0.1)
    shop = await counter.caller(SHOP)
    async with half_a_request(shop, orjson.dumps(event("e1"))) as half:
        await within(5, counter.http.stop())
        status, headers, body = await half.answer()
    assert (status, headers["content-type"], headers["connection"]) == (503, "application/problem+json", "close")
    assert int(headers["retry-after"]) > 0
    problem = orjson.loads(body)
    assert (problem["type"], problem["status"]) == ("urn:repairchain:problem:unavailable", 503)
    assert await stored(counter) == 0


async def test_what_comes_to_its_end_in_time_is_taken_in(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    body = orjson.dumps(event("e1"))
    async with half_a_request(shop, body) as half:
        stopping = asyncio.create_task(counter.http.stop())
        await asyncio.sleep(0)  # it has begun to stop
        await half.rest(body[-1:])
        status, _, told = await half.answer()
        await asyncio.wait_for(stopping, 5)
    assert (status, orjson.loads(told)["outcome"]) == (202, "pending")
    assert await stored(counter) == 1


async def test_who_comes_while_it_stops_is_told_to_come_again() -> None:
    """The port is open for a moment longer."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("nothing is begun any more")

    answering = Answering(app)
    async with serving(answering, Where("127.0.0.1", 0)) as url:
        answering.stop()
        answer = await Caller(url, None).post("/events", event("e1"))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"]


def test_the_document_says_so_of_every_operation() -> None:
    for path, operations in document()["paths"].items():
        for operation in operations.values():
            assert "503" in operation["responses"], path
