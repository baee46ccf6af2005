"""The book of customers on a real server: merged, written by several, and shut for whoever was forgotten."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from nats.js import JetStreamContext
from nats.js.errors import KeyNotFoundError

from events import names
from events.streams import StreamMismatchError, declare_streams
from events.subjects import customer_key
from services.contact import Channel, Contact
from services.desk.book import Book, ForgottenError
from tests.chainserver import ChainServer

KEY = customer_key("retailer:acme", "C-77")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HER = Contact(name="Zo", channels=(Channel(kind="email", address="zo@post.example"),))


@pytest.fixture
async def js(chain_server: ChainServer) -> JetStreamContext:
    js = (await chain_server.connect("keeper")).jetstream()
    await declare_streams(js)
    return js


@pytest.fixture
async def book(js: JetStreamContext) -> Book:
    book = Book(js)
    await book.open()
    return book


async def test_a_record_is_kept_and_found(book: Book) -> None:
    assert (await book.find(KEY)).contact is None
    assert await book.keep(KEY, HER)
    assert (await book.find(KEY)).contact == HER


async def test_what_a_new_order_does_not_say_stays(book: Book) -> None:
    await book.keep(KEY, HER.model_copy(update={"quiet": "21:00-8:00"}))
    await book.change(KEY, lambda known: (known or HER).model_copy(update={"language": "nl", "not_told": ("update",)}))
    moved = Contact(name="Zo", channels=(Channel(kind="email", address="new@post.example"),))
    await book.keep(KEY, moved)
    found = (await book.find(KEY)).contact
    assert found is not None
    assert (found.channels, found.quiet, found.language) == (moved.channels, "21:00-8:00", "nl")
    assert found.not_told == ("update",)


async def test_of_many_writers_none_is_lost(book: Book, js: JetStreamContext) -> None:
    def one_more(known: Contact | None) -> Contact:
        contact = known or Contact()
        number = len(contact.channels)
        return Contact(channels=(*contact.channels, Channel(kind="sms", address=f"+3160000000{number}")))

    await asyncio.gather(*(book.change(KEY, one_more) for _ in range(5)))
    found = (await book.find(KEY)).contact
    assert found is not None
    assert len(found.channels) == 5
    assert (await js.stream_info(f"KV_{names.CUSTOMERS}")).state.messages == 1


async def test_who_was_forgotten_is_written_about_no_more(book: Book, js: JetStreamContext) -> None:
    await book.keep(KEY, HER)
    await book.forget(KEY, NOW)
    await book.forget(KEY, NOW)
    assert (await book.find(KEY)).forgotten
    assert not await book.keep(KEY, HER)
    with pytest.raises(ForgottenError):
        await book.change(KEY, lambda _: HER)
    # To everybody else who reads the bucket, there is nothing.
    with pytest.raises(KeyNotFoundError):
        await (await js.key_value(names.CUSTOMERS)).get(KEY)
    assert (await js.stream_info(f"KV_{names.CUSTOMERS}")).state.messages == 1


async def test_who_was_never_known_can_be_forgotten(book: Book) -> None:
    await book.forget(KEY, NOW)
    assert not await book.keep(KEY, HER)


async def test_whoever_writes_while_she_is_forgotten_is_too_late(book: Book) -> None:
    await book.keep(KEY, HER)
    writers = (book.keep(KEY, Contact(name=f"Zo {number}")) for number in range(5))
    await asyncio.gather(*writers, book.forget(KEY, NOW))
    assert (await book.find(KEY)).forgotten


async def test_a_bucket_that_cannot_erase_is_refused(chain_server: ChainServer) -> None:
    js = (await chain_server.connect("keeper")).jetstream()
    await js.create_key_value(bucket=names.CUSTOMERS)
    with pytest.raises(StreamMismatchError, match="deny_delete"):
        await declare_streams(js)
