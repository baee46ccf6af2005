"""The projector: the only owner of the DuckDB file. Follows the log into it, and has questions answered from it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import structlog
from nats.aio.client import Client

from events.clock import Clock
from events.log import last_position
from events.streams import DEFAULT_LIMITS, Limits, declare_streams
from projections.schema import InUseError
from services.connecting import leave
from services.ending import end
from services.keeping_up import CATCH_UP_BATCH, FAR_BEHIND, PATIENCE, KeepingUp
from services.partner_questions import PartnerQuestions
from services.query_service import QueryService
from services.readmodels import ReadModels

#: So long a projector that starts waits for its file while others have it open, and so often it looks (seconds).
_GIVEN_FREE_WITHIN: Final = 60.0
_LOOK_AGAIN: Final = 0.2

_log = structlog.get_logger("projector")


class Projector:
    """``await start()``, then it follows the log until ``await stop()``; the options are those of KeepingUp."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        path: Path,
        clock: Clock,
        *,
        far_behind: int = FAR_BEHIND,
        catch_up_batch: int = CATCH_UP_BATCH,
        patience: float = PATIENCE,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._limits = limits
        self._connect = connect
        self._clock = clock
        self._far_behind = far_behind
        self._catch_up_batch = catch_up_batch
        self._patience = patience
        self._models = ReadModels(path)

    async def start(self) -> None:
        """Open the file, begin to follow the log, and answer queries."""
        async with AsyncExitStack() as life:
            self._connection = await self._connect()
            life.push_async_callback(leave, self._connection)
            self._js = self._connection.jetstream()
            await declare_streams(self._js, self._limits, updating=())
            await self._open_models()
            life.push_async_callback(self._models.close)
            self.upkeep = KeepingUp(
                self._connection,
                self._models,
                far_behind=self._far_behind,
                catch_up_batch=self._catch_up_batch,
                patience=self._patience,
            )
            await self.upkeep.begin()
            life.push_async_callback(end, asyncio.create_task(self.upkeep.follow()))
            answering = QueryService(self._connection, self._models, self.upkeep, self._clock)
            life.push_async_callback(answering.stop)
            await answering.start()
            partners = PartnerQuestions(self._connection, answering.ask)
            await partners.start()
            life.push_async_callback(partners.stop)
            self._life = life.pop_all()

    async def _open_models(self) -> None:
        """Whoever asks without a chain, makes the read models anew or copies them has the file for a while. Raises
        DatabaseError where that does not end."""
        until = time.monotonic() + _GIVEN_FREE_WITHIN
        waiting = False
        while True:
            try:
                return await self._models.open()
            except InUseError as error:
                if time.monotonic() >= until:
                    raise
                if not waiting:
                    waiting = True
                    _log.warning("waiting for the read models", error=str(error))
                await asyncio.sleep(_LOOK_AGAIN)

    async def stop(self) -> None:
        """Finish the transaction at hand, close the file, disconnect."""
        await self._life.aclose()

    async def check(self) -> str:
        """For readiness: asks both the server and DuckDB. Raises what they raise."""
        stored = await self._models.stored_position()  # first: it grows while we ask
        return f"{await last_position(self._js) - stored} facts behind"
