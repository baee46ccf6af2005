"""What every service is to those who run it, and services around a service, each of which adds one thing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from nats.aio.client import Client

from services.connecting import leave


class Service(Protocol):
    """What every service is to those who run it."""

    async def start(self) -> None:
        """Return when it works."""

    async def stop(self) -> None:
        """Finish what is at hand and return when nothing runs any more."""

    async def check(self) -> str:
        """Really ask what the service needs; a few words on how it stands. Raises if it does not stand."""


class Connected:
    """A service that needs a connection of its own before it can be made."""

    def __init__(self, connection: Callable[[], Awaitable[Client]], built: Callable[[Client], Service]) -> None:
        self._connection = connection
        self._built = built
        self.service: Service | None = None

    async def start(self) -> None:
        self._client = await self._connection()
        try:
            service = self._built(self._client)
            await service.start()
        except BaseException:
            await leave(self._client)
            raise
        self.service = service

    async def stop(self) -> None:
        try:
            if self.service is not None:
                await self.service.stop()
        finally:
            await leave(self._client)

    async def check(self) -> str:
        if self.service is None:
            raise RuntimeError("not started yet")
        return await self.service.check()


class Companion(Protocol):
    """What runs beside a service, in its process."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class BesideIt:
    """A service and what needs it to have started."""

    def __init__(self, service: Service, companion: Companion) -> None:
        self.service = service
        self._companion = companion

    async def start(self) -> None:
        await self.service.start()
        try:
            await self._companion.start()
        except BaseException:
            await self.service.stop()
            raise

    async def stop(self) -> None:
        """Both at once: neither has to end before the other, and the time that a stop may take is one for both."""
        ends = await asyncio.gather(self._companion.stop(), self.service.stop(), return_exceptions=True)
        for each in ends:
            if isinstance(each, BaseException):
                raise each

    async def check(self) -> str:
        return await self.service.check()


class Closing:
    """A service that holds something open until it has stopped, or could not start."""

    def __init__(self, service: Service, close: Callable[[], None]) -> None:
        self.service = service
        self._close = close

    async def start(self) -> None:
        try:
            await self.service.start()
        except BaseException:
            self._close()
            raise

    async def stop(self) -> None:
        try:
            await self.service.stop()
        finally:
            self._close()

    async def check(self) -> str:
        return await self.service.check()
