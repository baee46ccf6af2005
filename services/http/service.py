"""The service: a connection, the application, and the address on which it is served."""

from __future__ import annotations

import os
import time
from contextlib import AsyncExitStack
from typing import Final

import structlog
from nats.aio.client import Client

from events.clock import Clock
from services.answering import asker
from services.carriers.taking_in import TakingIn, appender
from services.home import write_json
from services.http.answering import Answering
from services.http.app import Door, make_app
from services.http.handing_in import WAIT, HandingIn
from services.http.keys import Keys
from services.http.limits import Limits
from services.http.notices import Notices
from services.http.serving import Where, serving
from services.http.told import Told
from services.identifiers import list_identifiers
from services.settings import Settings

_LOOK_SECONDS: Final = 2

_log = structlog.get_logger("http")


class HttpService:
    """``await start()``, then it answers on ``url`` until ``await stop()``."""

    def __init__(
        self, connection: Client, clock: Clock, settings: Settings, where: Where, *, wait: float = WAIT
    ) -> None:
        self.url = ""
        self._connection = connection
        self._clock = clock
        self._folder = settings.folder
        self._where = where
        self._handing_in = HandingIn(connection, wait=wait)
        ask = asker(connection)
        self._carriers = TakingIn(connection, ask, appender(connection), clock, settings.folder.carriers_file)
        self._notices = Notices(connection)
        self._door = Door(
            Keys(settings.home),
            Limits(settings.http_events_per_second, time.monotonic),
            self._handing_in,
            ask,
            clock,
            lambda: list_identifiers(settings.home),
            settings.home,
            self._carriers,
            self._notices,
        )

    async def start(self) -> None:
        """Listen for receipts, and only then for partners."""
        async with AsyncExitStack() as life:
            told = Told(self._folder.told_file, self._clock)
            life.callback(told.close)
            self._handing_in.receipts.recall(told)
            await self._handing_in.start()
            life.push_async_callback(self._handing_in.stop)
            await self._notices.start(told)
            life.push_async_callback(self._notices.stop)
            await self._carriers.start()
            life.push_async_callback(self._carriers.stop)
            answering = Answering(make_app(self._door))
            self.url = await life.enter_async_context(serving(answering, self._where))
            life.callback(answering.stop)
            life.callback(self._handing_in.wait_no_more)
            write_json(self._folder.http_file, {"url": self.url, "pid": os.getpid()})
            life.callback(self._folder.http_file.unlink, missing_ok=True)
            self._life = life.pop_all()
        _log.info("partners may hand in", url=self.url)

    async def stop(self) -> None:
        """Answer what is at hand, tell those who come to come again, and close."""
        await self._life.aclose()

    async def check(self) -> str:
        """For readiness: asks the server. Raises if it is not there."""
        if not self._connection.is_connected:
            raise ConnectionError("not connected to the server")
        await self._connection.flush(timeout=_LOOK_SECONDS)
        waiting = await self._carriers.count()
        parcels = f"; scans of parcels that nobody handed over yet: {waiting:,}" if waiting else ""
        return f"answers on {self.url}{parcels}"
