"""Answers questions over NATS: an endpoint for each query, and a few for the upkeep of the read models."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import nats.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.micro import add_service
from nats.micro.request import Request
from nats.micro.service import EndpointConfig, Service

from events import names
from events.clock import Clock
from projections import queries
from projections.database import Database
from projections.schema import DatabaseError
from services.answering import NoAnswerError, QuestionError, pack, query_subject
from services.ending import end, within
from services.readmodels import DAMAGE, ReadModels
from services.stopping import AT_HAND
from services.workday import WORKING_DAYS

#: What is asked besides the queries themselves.
_OTHERS: Final = ("snapshot", "rebuild", "position", WORKING_DAYS)

_log = structlog.get_logger("projector")


class BehindError(RuntimeError):
    """The read models have not reached the position that a query asked for."""


class Upkeep(Protocol):
    """Whoever keeps the read models up with the log, as far as questions need it."""

    @property
    def position(self) -> int:
        """The read models reflect the log up to here."""

    async def wait_for(self, position: int) -> None:
        """Return once the read models reflect ``position``. Raises BehindError if that takes too long."""

    async def rebuild(self) -> None:
        """Return once all read models were made anew."""

    def doubt(self) -> None:
        """The file could not be read: have it looked through before anything else is written to it."""


class QueryService:
    """``await start()``, then it answers until ``await stop()``. ``ask`` is for those within."""

    def __init__(self, connection: Client, models: ReadModels, upkeep: Upkeep, clock: Clock) -> None:
        self._connection = connection
        self._models = models
        self._upkeep = upkeep
        self._clock = clock
        self._service: Service | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to answer: once this returns, whoever asks is heard."""
        self._service = await add_service(
            self._connection,
            name=names.QUERY_SERVICE,
            version="1.0.0",
            description="Read models of the chain: where is it, since when, who owes the next step",
        )
        for name in (*queries.QUERIES, *_OTHERS):
            await self._service.add_endpoint(EndpointConfig(name=name, subject=query_subject(name), handler=self._take))
        await self._connection.flush()

    async def stop(self) -> None:
        """Answer no more."""
        if self._service is not None and self._connection.is_connected:
            with suppress(nats.errors.Error, TimeoutError):
                await within(AT_HAND, self._service.stop())
        await end(*self._tasks)

    async def ask(self, name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        """Asks as others do over NATS. Raises QuestionError or NoAnswerError."""
        try:
            answer = await self._answer_to(name, {"args": args, "at_least": at_least})
        except (queries.QueryError, DatabaseError) as error:
            raise QuestionError(str(error)) from None
        except BehindError as error:
            raise NoAnswerError(str(error)) from None
        except DAMAGE:
            _log.exception("the read models could not be read", query=name)
            self._upkeep.doubt()
            raise NoAnswerError("the read models could not be read") from None
        result: dict[str, Any] = answer["result"]
        return result

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
            answer = await self._answer_to(name, question)
        except (queries.QueryError, DatabaseError, BehindError, orjson.JSONDecodeError) as error:
            answer = {"error": {"title": type(error).__name__.removesuffix("Error"), "detail": str(error)}}
        except DAMAGE:
            _log.exception("the read models could not be read", query=name)
            answer = {"error": {"title": "Damaged", "detail": "the read models could not be read: ask again later"}}
            self._upkeep.doubt()
        except Exception as error:  # noqa: BLE001 - whoever asks gets an answer, and the cause is in our log
            _log.exception("a query failed", query=name)
            answer = {"error": {"title": "Fault", "detail": f"the query failed: {error}"}}
        body, headers = pack(answer)
        if len(body) > self._connection.max_payload - 1024:
            too_large = {"title": "TooLarge", "detail": "the answer is too large: ask for less, with a limit"}
            body, headers = pack({"error": too_large})
        with suppress(nats.errors.Error):
            await request.respond(body, headers or None)

    async def _answer_to(self, name: str, question: dict[str, Any]) -> dict[str, Any]:
        at_least = _position_in(question)
        if at_least is not None:
            await self._upkeep.wait_for(at_least)
        args = question.get("args") or {}
        if not isinstance(args, dict):
            raise queries.QueryError("'args' must be a JSON object")
        if name in _OTHERS:
            result = await self._keep_up(name, args, question)
            return {"position": self._upkeep.position, "result": result}
        now = self._clock.now()
        answer = await self._models.read(name, args, question.get("as_of"), question.get("known_at"), now)
        if at_least is not None and answer["position"] < at_least:  # made anew between waiting and reading
            raise BehindError(f"the read models are at {answer['position']}, not at {at_least} any more: ask again")
        return answer

    async def _keep_up(self, name: str, args: dict[str, Any], question: dict[str, Any]) -> dict[str, Any]:
        if name == "rebuild":
            await self._upkeep.rebuild()
            return {"position": self._upkeep.position}
        if name == "snapshot":
            return await self._snapshot(args)
        if name == "position":
            return {"position": self._models.position, "mirrored": self._models.mirrored}
        return await self._models.working_days(args, question.get("as_of"), question.get("known_at"))

    async def _snapshot(self, args: dict[str, Any]) -> dict[str, Any]:
        file = args.get("file")
        if not isinstance(file, str) or not Path(file).is_absolute():
            raise queries.QueryError("snapshot needs the absolute path of a file that does not exist yet")
        target = Path(file)
        if await asyncio.to_thread(target.exists):
            raise queries.QueryError(f"{file} exists already: name a new file")
        await self._models.write(Database.snapshot, target)
        return {"file": file, "position": self._upkeep.position}


def _position_in(question: dict[str, Any]) -> int | None:
    """From which position on the answer has to reflect the log, if any is named. Raises QueryError."""
    position = question.get("at_least")
    if position is not None and (not isinstance(position, int) or isinstance(position, bool)):
        raise queries.QueryError("'at_least' must be a position: a whole number")
    return position
