"""The boxes of partners: each hands in to a stream of its own, so that none fills, or stands before, that of another.

Whoever registers a partner makes its box before the partner gets its account, as keeper, on the server that runs; a
server that starts on a home makes those that are missing there, and so does the intake of their role. A partner that is
kept out keeps its box: what was acknowledged is still taken in.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import StreamInfo
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

from events import names
from events.connection import connection_of
from events.party import role_of
from events.streams import DEFAULT_LIMITS, Limits, box_is_as_declared, declare_box
from events.subjects import box_stream, party_of_subject
from services.connecting import connect
from services.ending import end
from services.rights import KEEPER_USER
from services.settings import Settings

#: So many are made at a time: each waits for the disk.
_AT_A_TIME: Final = 16

#: A server that is not there is not waited for (seconds).
_CONNECT_SECONDS: Final = 2

#: How it shows that a server has gone, or is only just coming back.
_GONE: Final = (
    nats.errors.ConnectionClosedError,
    nats.errors.NoRespondersError,
    ServiceUnavailableError,
    OSError,
    TimeoutError,
)

#: Boxes are looked for when the server says that there is a new one, and so often at least (seconds).
_LOOK_EVERY: Final = 15.0
#: So often we see whether it is time to look (seconds).
_BREATH: Final = 0.5
#: Many that come at once are looked for together (seconds).
_PAUSE: Final = 0.02

_log = structlog.get_logger("intake")


@dataclass(frozen=True, slots=True)
class Box:
    """The stream of one partner, and how many submissions lie in it: waiting, or settled and not removed yet."""

    party: str
    stream: str
    messages: int


async def open_boxes(js: JetStreamContext, parties: Collection[str], limits: Limits = DEFAULT_LIMITS) -> None:
    """Make the boxes that are missing, and bring the others to ``limits``; looking through many costs little.

    Raises what events.streams.declare_box raises.
    """
    if not parties:
        return
    found = {info.config.name: info async for info in _every_box(js)}
    ahead = asyncio.Semaphore(_AT_A_TIME)

    async def make(party: str) -> None:
        info = found.get(box_stream(party))
        if info is None or not info.state.consumer_count or not box_is_as_declared(info.config, party, limits):
            async with ahead:
                await declare_box(js, party, limits)

    await asyncio.gather(*(make(party) for party in parties))


async def boxes(js: JetStreamContext, role: str = "*") -> list[Box]:
    """Every box of the partners of ``role``, or of all partners, that has its consumer."""
    return [
        Box(party_of_subject((info.config.subjects or [""])[0]), info.config.name or "", info.state.messages)
        async for info in _every_box(js, role)
        if info.state.consumer_count
    ]


async def unsettled(js: JetStreamContext) -> dict[str, int]:
    """How much each role's intake has before it and in hand, by the name of its consumer."""
    holding = [(role, names.INTAKE_STREAMS[role]) for role in names.INTAKE_STREAMS]
    holding += [(role_of(box.party), box.stream) for box in await boxes(js) if box.messages]

    async def of(role: str, stream: str) -> tuple[str, int]:
        durable = names.INTAKE_DURABLES[role]
        try:
            info = await js.consumer_info(stream, durable)
        except NotFoundError:  # its intake has not started yet: all of it waits
            return durable, (await js.stream_info(stream)).state.messages
        return durable, (info.num_pending or 0) + (info.num_ack_pending or 0)

    counts = dict.fromkeys(names.INTAKE_DURABLES.values(), 0)
    for durable, count in await asyncio.gather(*(of(role, stream) for role, stream in holding)):
        counts[durable] += count
    return counts


async def _every_box(js: JetStreamContext, role: str = "*") -> AsyncIterator[StreamInfo]:
    offset = 0
    while True:
        question = {"subject": f"{names.BOX_ROOT}.{role}.*", "offset": offset}
        reply = await connection_of(js).request("$JS.API.STREAM.LIST", json.dumps(question).encode(), timeout=5)
        answer = json.loads(reply.data)
        if "error" in answer:
            raise APIError.from_error(answer["error"])
        page = answer.get("streams") or []
        for each in page:
            yield StreamInfo.from_response(each)
        offset += len(page)
        if not page or offset >= answer["total"]:
            return


def open_boxes_there(settings: Settings, url: str, parties: Collection[str]) -> bool:
    """Make the boxes of ``parties`` on the server at ``url`` as keeper; whether it was there to do so.

    Not from within an event loop. Raises what open_boxes raises.
    """
    return asyncio.run(open_boxes_as_keeper(settings.model_copy(update={"nats_url": url}), parties))


async def open_boxes_as_keeper(settings: Settings, parties: Collection[str]) -> bool:
    """The same for the server that ``settings`` name."""
    if not parties:
        return True
    try:
        connection = await connect(
            settings,
            KEEPER_USER,
            name="repairchain boxes",
            allow_reconnect=False,
            max_reconnect_attempts=1,  # without end, nats-py would ask a dead server without end, reconnecting or not
            connect_timeout=_CONNECT_SECONDS,
        )
    except (nats.errors.Error, OSError):  # the intake of its role makes it when there is a server
        return False
    try:
        await open_boxes(connection.jetstream(), parties, settings.limits)
    except _GONE:
        return False
    finally:
        await connection.close()
    return True


class Boxes:
    """Keeps the boxes of one role's partners in view for its intake: ``await start()``, until ``await stop()``.

    ``serve`` is told of all that there are whenever somebody has looked, and of the streams that were made since.
    """

    def __init__(
        self,
        connection: Client,
        role: str,
        limits: Limits,
        serve: Callable[[list[Box], Collection[str]], Coroutine[Any, Any, None]],
    ) -> None:
        self._connection = connection
        self._js = connection.jetstream()
        self._role = role
        self._limits = limits
        self._serve = serve
        self._new = asyncio.Event()
        self._missing = False
        self._made: set[str] = set()

    async def start(self) -> None:
        """Return when those that there are now are served."""
        self._subscription = await self._connection.subscribe(
            f"$JS.EVENT.ADVISORY.CONSUMER.CREATED.*.{names.INTAKE_DURABLES[self._role]}", cb=self._hear
        )
        await self._look()
        self._task = asyncio.create_task(self._run())

    def look_soon(self) -> None:
        """One of them may be gone, or be there without its consumer."""
        self._missing = True

    async def stop(self) -> None:
        """Look no more."""
        await end(self._task)
        with suppress(nats.errors.Error):
            await self._subscription.unsubscribe()

    async def _hear(self, message: Msg) -> None:
        self._made.add(message.subject.split(".")[-2])
        self._new.set()

    async def _run(self) -> None:
        reconnects, clock = self._connection.stats["reconnects"], asyncio.get_running_loop().time
        looked = clock()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._new.wait(), _BREATH)
            now = self._connection.stats["reconnects"]
            is_time = now != reconnects or self._missing or clock() - looked >= _LOOK_EVERY
            if not is_time and not self._new.is_set():
                continue
            self._new.clear()
            try:
                if is_time:
                    reconnects, looked, self._missing = now, clock(), False
                    await self._look()
                else:
                    await self._list()
            except Exception as error:  # noqa: BLE001 - whatever it was, the boxes that are known go on
                _log.warning("will look for boxes again", role=self._role, error=repr(error))
                self._missing = True
            await asyncio.sleep(_PAUSE)

    async def _look(self) -> None:
        await open_boxes(self._js, await self._ours(), self._limits)
        await self._list()

    async def _list(self) -> None:
        made, self._made = self._made, set()
        try:
            await self._serve(await boxes(self._js, self._role), made)
        except BaseException:
            self._made |= made  # told with the next look
            raise

    async def _ours(self) -> list[str]:
        """Whose boxes we may make, as the server has it: that is who is registered."""
        reply = await self._connection.request("$SYS.REQ.USER.INFO", b"", timeout=5)
        rights = json.loads(reply.data)["data"].get("permissions") or {}
        allowed = (rights.get("publish") or {}).get("allow") or []
        ours = f"{names.BOX_ROOT}.{self._role}."
        return [party_of_subject(each) for each in allowed if each.startswith(ours) and not each.endswith(".*")]
