"""A partner's client for a program that waits: the same as AsyncPartner, which runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from events.facet import Fact
from services.client.building import Said
from services.client.errors import PartnerError
from services.client.feed import Feed
from services.client.partner_async import AsyncPartner
from services.notices import DailyList, Notice
from services.submission import Receipt

T = TypeVar("T")


class Partner:
    """One partner's connection: ``with Partner(url, credentials) as partner``. May be used from several threads.

    What may be given and what is raised is as with AsyncPartner; ``timeout`` and ``receipt_within`` are seconds.
    """

    def __init__(
        self,
        url: str,
        credentials: str | Path | Mapping[str, Any],
        *,
        party: str | None = None,
        ca: str | Path | None = None,
        timeout: float = 60.0,
        receipt_within: float = 5.0,
    ) -> None:
        self._given = (url, credentials)
        self._options: dict[str, Any] = {
            "party": party,
            "ca": ca,
            "timeout": timeout,
            "receipt_within": receipt_within,
        }
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._partner: AsyncPartner | None = None

    def __enter__(self) -> Self:
        if self._loop is not None:
            raise PartnerError("this partner is connected already")
        self._loop = asyncio.new_event_loop()
        # A daemon: a program that forgets to leave still ends.
        self._thread = threading.Thread(target=self._loop.run_forever, name="repairchain partner", daemon=True)
        self._thread.start()
        try:
            self._partner = self.wait(self._connect())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect; harmless if that was done."""
        partner, self._partner = self._partner, None
        if partner is not None:
            try:
                self.wait(partner.close())
            finally:
                self._stop()

    @property
    def party(self) -> str:
        """Who this is: ``retailer:juno``."""
        return self._running.party

    def publish(
        self,
        said: Said,
        data: Mapping[str, Any] | Fact | None = None,
        *,
        order: str | None = None,
        id: str | None = None,
        time: datetime | None = None,
        timeout: float | None = None,
    ) -> Receipt:
        """Hand in one event and wait for its receipt; see AsyncPartner.publish."""
        return self.wait(self._running.publish(said, data, order=order, id=id, time=time, timeout=timeout))

    def receipts(self, timeout: float | None = None) -> Iterator[Receipt]:
        """Every receipt of this partner from now on; it ends ``timeout`` seconds after the last, or when closed."""
        return _Following(self, self.wait(_made(self._running.receipts, timeout)))

    def notices(self, timeout: float | None = None) -> Iterator[Notice | DailyList]:
        """Every notice from now on; it ends ``timeout`` seconds after the last, or when closed."""
        return _Following(self, self.wait(_made(self._running.notices, timeout)))

    def timeline(self, order: str, *, timeout: float = 30.0) -> dict[str, Any]:
        """The story of an order that this partner has a part in; see AsyncPartner.timeline."""
        return self.wait(self._running.timeline(order, timeout=timeout))

    def changed(self, after: int = 0, *, limit: int = 100, timeout: float = 30.0) -> dict[str, Any]:
        """Which of this partner's orders have changed after a position; see AsyncPartner.changed."""
        return self.wait(self._running.changed(after, limit=limit, timeout=timeout))

    async def _connect(self) -> AsyncPartner:
        url, credentials = self._given
        return await AsyncPartner(url, credentials, **self._options).__aenter__()

    @property
    def _running(self) -> AsyncPartner:
        if self._partner is None:
            raise PartnerError("not connected: use 'with Partner(url, credentials) as partner'")
        return self._partner

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on this partner's loop, and return what comes of it."""
        if self._loop is None or not self._loop.is_running():
            work.close()
            raise PartnerError("this partner's connection was closed")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C, too: nothing goes on behind the caller's back
            future.cancel()
            raise

    def _stop(self) -> None:
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


async def _made(feed: Callable[[float | None], Feed[T]], timeout: float | None) -> Feed[T]:
    """A feed that belongs to the loop that runs this."""
    return feed(timeout)


async def _next(feed: Feed[T]) -> tuple[T] | None:
    """None where it has ended: a StopIteration cannot leave a future."""
    try:
        return (await anext(feed),)
    except StopAsyncIteration:
        return None


class _Following(Generic[T]):
    def __init__(self, partner: Partner, feed: Feed[T]) -> None:
        self._partner = partner
        self._feed = feed

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        found = self._partner.wait(_next(self._feed))
        if found is None:
            raise StopIteration
        return found[0]
