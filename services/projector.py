"""The projector: the only owner of the DuckDB file. Follows the log into it and answers queries over NATS.

The tail is an ordered consumer from the position that DuckDB holds, which is in the same transaction as the rows: there
is nothing to acknowledge, and a kill at any point costs nothing. Far behind, it mirrors first and computes the read
models once at the end; the readers keep the old rows until then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import nats.errors
import nats.js.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.micro import add_service
from nats.micro.request import Request
from nats.micro.service import EndpointConfig, Service

from events import names
from events.clock import Clock
from events.log import Tail, last_position
from events.streams import declare_streams
from projections import queries
from projections.database import Database, open_database
from projections.schema import DatabaseError
from services.answering import pack, query_subject

#: Further behind than this, the read models are computed once at the end rather than batch by batch.
_FAR_BEHIND: Final = 20_000
_CATCH_UP_BATCH: Final = 50_000
_LIVE_BATCH: Final = 2_000
_READERS: Final = 4
_RETRY_DELAY: Final = 1.0

#: How long a query waits for the position it asked for (seconds).
_PATIENCE: Final = 20.0

_log = structlog.get_logger("projector")

_TRANSIENT: Final = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


class BehindError(RuntimeError):
    """The read models have not reached the position that a query asked for."""


class Projector:
    """``await start()``, then it follows the log until ``await stop()``."""

    def __init__(self, connect: Callable[[], Any], path: Path, clock: Clock) -> None:
        self._connect = connect
        self._path = path
        self._clock = clock
        self._writer = ThreadPoolExecutor(1, "duckdb-writer")
        self._readers = ThreadPoolExecutor(_READERS, "duckdb-reader")
        self._moved = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._position = 0
        self._tail: Tail | None = None
        self._rebuild_wanted: list[asyncio.Future[None]] = []

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the file, begin to follow the log, and answer queries."""
        self._connection: Client = await self._connect()
        self._js = self._connection.jetstream()
        await declare_streams(self._js)
        self._database: Database = await self._write(open_database, self._path)
        if self._database.mirrored > await last_position(self._js):
            _log.warning("the read models are ahead of the log, which must be another one: making them anew")
            await self._write(self._start_anew)
        self._position = self._database.position
        self._follower = asyncio.create_task(self._follow())
        self._service: Service = await add_service(
            self._connection,
            name=names.QUERY_SERVICE,
            version="1.0.0",
            description="Read models of the chain: where is it, since when, who owes the next step",
        )
        for name in (*queries.QUERIES, "snapshot", "rebuild", "position"):
            await self._service.add_endpoint(EndpointConfig(name=name, subject=query_subject(name), handler=self._take))

    async def stop(self) -> None:
        """Finish the transaction at hand, close the file, disconnect."""
        with suppress(nats.errors.Error):
            await self._service.stop()
        self._follower.cancel()
        with suppress(asyncio.CancelledError):
            await self._follower
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._write(self._database.close)
        self._writer.shutdown()
        self._readers.shutdown(cancel_futures=True)
        with suppress(nats.errors.Error):
            await self._connection.drain()

    @property
    def position(self) -> int:
        """The read models reflect the log up to here."""
        return self._position

    async def check(self) -> str:
        """For readiness: asks both the server and DuckDB. Raises what they raise."""
        end = await last_position(self._js)
        position = await asyncio.get_running_loop().run_in_executor(self._readers, self._stored_position)
        return f"{end - position} facts behind"

    def _stored_position(self) -> int:
        cursor = self._database.cursor()
        try:
            return int(cursor.execute("SELECT position FROM meta").fetchall()[0][0])
        finally:
            cursor.close()

    def _reopen(self) -> None:
        """Close the file and open it again: what a broken transaction or a FATAL error of DuckDB asks for."""
        self._database.close()
        self._database = open_database(self._path)

    def _start_anew(self) -> None:
        self._database.close()
        for file in (self._path, self._path.with_name(self._path.name + ".wal")):
            file.unlink(missing_ok=True)
        self._database = open_database(self._path)

    async def _write(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, function, *args)

    # -- following the log --------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            try:
                await self._catch_up()
                await self._follow_live()
            except _TRANSIENT as error:
                _log.warning("following the log again", error=repr(error))
            except Exception:  # noqa: BLE001 - readers keep the last rows; the transaction was rolled back
                _log.exception("a batch could not be applied: opening the file again")
                await self._write(self._reopen)
            await asyncio.sleep(_RETRY_DELAY)

    async def _catch_up(self) -> None:
        """Mirror what we are far behind with, as fast as it comes, then compute the read models once."""
        goal = await last_position(self._js)
        if goal - self._database.mirrored <= _FAR_BEHIND:
            if self._database.mirrored > self._database.position:  # killed between the two
                await self._write(self._database.rebuild)
                await self._announce()
            return
        _log.info("catching up", position=self._database.mirrored, goal=goal)
        async with Tail(self._js, after=self._database.mirrored) as tail:
            writing: asyncio.Future[Any] | None = None
            collected: list[tuple[int, bytes]] = []
            while tail.position < goal or collected:
                if tail.position < goal:
                    collected += await tail.next_batch()
                if len(collected) < _CATCH_UP_BATCH and tail.position < goal:
                    continue
                # One batch is written while the next is read.
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(self._write(self._database.mirror_only, collected))
                collected = []
            if writing is not None:
                await writing
        await self._write(self._database.rebuild)
        await self._announce()

    async def _follow_live(self) -> None:
        async with Tail(self._js, after=self._database.mirrored, max_batch=_LIVE_BATCH) as tail:
            self._tail = tail
            while True:
                batch = await tail.next_batch()
                for start in range(0, len(batch), _LIVE_BATCH):
                    await self._write(self._database.apply, batch[start : start + _LIVE_BATCH])
                    await self._announce()
                if self._rebuild_wanted:
                    await self._rebuild_now()
                if tail.position > self._database.mirrored + _FAR_BEHIND:
                    return

    async def _rebuild_now(self) -> None:
        wanted, self._rebuild_wanted = self._rebuild_wanted, []
        try:
            await self._write(self._database.rebuild)
        except Exception as error:
            for future in wanted:
                future.set_exception(error)
            raise
        for future in wanted:
            if not future.done():
                future.set_result(None)
        await self._announce()

    async def _announce(self) -> None:
        self._position = self._database.position
        async with self._moved:
            self._moved.notify_all()

    # -- answering ----------------------------------------------------------------------------------------------------

    async def _take(self, request: Request) -> None:
        # The endpoint hands out one request at a time; a slow one must not hold up the others.
        task = asyncio.create_task(self._answer(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request) -> None:
        name = request.subject.rpartition(".")[2]
        try:
            question = orjson.loads(request.data) if request.data else {}
            if not isinstance(question, dict):
                raise queries.QueryError("a question is a JSON object")
            await self.wait_for(question.get("at_least"))
            args = question.get("args") or {}
            answer: dict[str, Any]
            if name == "rebuild":
                answer = {"position": self._position, "result": await self._rebuild()}
            elif name == "snapshot":
                answer = {"position": self._position, "result": await self._snapshot(args)}
            else:
                answer = await self._read(name, args, question.get("as_of"), question.get("known_at"))
        except (queries.QueryError, DatabaseError, BehindError, orjson.JSONDecodeError) as error:
            answer = {"error": {"title": type(error).__name__.removesuffix("Error"), "detail": str(error)}}
        except Exception as error:  # noqa: BLE001 - whoever asks gets an answer, and the cause is in our log
            _log.exception("a query failed", query=name)
            answer = {"error": {"title": "Fault", "detail": f"the query failed: {error}"}}
        body, headers = pack(answer)
        if len(body) > self._connection.max_payload - 1024:
            error_answer = {
                "error": {"title": "TooLarge", "detail": "the answer is too large: ask for less, with a limit"}
            }
            body, headers = pack(error_answer)
        with suppress(nats.errors.Error):
            await request.respond(body, headers or None)

    async def wait_for(self, position: object, patience: float = _PATIENCE) -> None:
        """Return once the read models reflect ``position``. Raises BehindError after ``patience`` seconds."""
        if position is None:
            return
        if not isinstance(position, int):
            raise queries.QueryError("at_least is a position: a whole number")
        try:
            async with asyncio.timeout(patience), self._moved:
                await self._moved.wait_for(lambda: self._position >= position)
        except TimeoutError:
            raise BehindError(f"the read models are at {self._position}, not yet at {position}: ask again") from None

    async def _read(
        self, name: str, args: Mapping[str, Any], as_of: str | None, known_at: str | None
    ) -> dict[str, Any]:
        if name == "position":
            found = {"position": self._database.position, "mirrored": self._database.mirrored}
            return {"position": self._position, "result": found}
        now = self._clock.now()
        answer = await asyncio.get_running_loop().run_in_executor(
            self._readers, lambda: queries.answer(self._database, name, args, as_of=as_of, known_at=known_at, now=now)
        )
        return dict(answer)

    async def _snapshot(self, args: Mapping[str, Any]) -> dict[str, Any]:
        file = args.get("file")
        if not isinstance(file, str) or not Path(file).is_absolute():
            raise queries.QueryError("snapshot needs the absolute path of a file that does not exist yet")
        target = Path(file)
        if await self._write(target.exists):
            raise queries.QueryError(f"{file} exists already: name a new file")
        await self._write(self._database.snapshot, target)
        return {"file": file, "position": self._position}

    async def _rebuild(self) -> dict[str, Any]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rebuild_wanted.append(done)
        if self._tail is not None:
            self._tail.wake()
        await done
        return {"position": self._position}
