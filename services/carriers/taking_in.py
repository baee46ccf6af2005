"""From what carriers say to facts: kept first, then told of the orders in the parcel, as soon as those are known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import nats.errors
import nats.js.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from events import log, names
from events.clock import Clock
from events.custody import HandedOver
from events.envelope import Event, iso
from services.answering import Ask, NoAnswerError, QuestionError
from services.carriers.checkpoint import Checkpoint, plain_number
from services.carriers.matching import Handover, facts_of
from services.carriers.waiting import KEPT, Waiting
from services.ending import end

#: So many parcels are asked about at a time.
_TOGETHER: Final = 200
#: A handover that was heard of is in the read models a moment later: seconds between looks.
_LOOKS: Final = (0.1, 0.4, 1.5, 5.0, 20.0)
#: All that waits is looked at so often (seconds), for handovers that nobody heard of.
_ROUND: Final = 600.0
#: After a look, a rest of so many times what it took, though not longer than that (seconds): others ask, too.
_REST: Final = 4.0
_REST_AT_MOST: Final = 5.0
#: The read models do not answer, or the server: seconds until the next attempt.
_PAUSE: Final = 2.0

_TROUBLE: Final = (NoAnswerError, QuestionError, nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")

_log = structlog.get_logger("carriers")


class TakingIn:
    """``await start()``, then what is given to ``take`` becomes facts until ``await stop()``.

    ``append`` writes one fact to the log and returns its position.
    """

    def __init__(
        self, connection: Client, ask: Ask, append: Callable[[Event], Awaitable[int]], clock: Clock, path: Path
    ) -> None:
        self._connection = connection
        self._ask = ask
        self._append = append
        self._clock = clock
        self._path = path
        self._position = 0  # of the last fact that we appended: what is asked then must know it
        self._wanted: dict[str, tuple[float, int]] = {}  # number: when it is looked at next, which look that is
        self._news = asyncio.Event()
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Listen for handovers, open the file, and look at what waits."""
        handovers = f"{names.LOG_ROOT}.*.{HandedOver.NAME}"
        self._subscription: Subscription = await self._connection.subscribe(handovers, cb=self._hear)
        await self._connection.flush()
        self._waiting = await asyncio.to_thread(Waiting, self._path)
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """What is not told yet waits on the disk."""
        await end(self._task)
        with suppress(nats.errors.Error):
            await self._subscription.unsubscribe()
        await self._on_disk(self._waiting.close)

    async def take(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Keep them; they are safe when this returns."""
        await self._on_disk(self._waiting.add, checkpoints, self._clock.now())
        self._want({plain_number(each.number) for each in checkpoints})

    async def count(self) -> int:
        """How many scans wait, nearly all of them for a handover."""
        return await self._on_disk(self._waiting.count)

    async def _on_disk(self, call: Callable[_Given, _Answer], *given: _Given.args, **named: _Given.kwargs) -> _Answer:
        """Call it in a thread, alone. Who is cancelled meanwhile waits for its end: two threads must not use the file
        at once, and a thread does not stop because nobody waits for it any more."""
        async with self._lock:
            work = asyncio.create_task(asyncio.to_thread(call, *given, **named))
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                while not work.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait({work})
                raise

    async def _hear(self, message: Msg) -> None:
        try:
            number = orjson.loads(message.data)["data"]["tracking_number"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        if isinstance(number, str):
            self._want({plain_number(number)}, _LOOKS[0])

    def _want(self, numbers: set[str], after: float = 0.0) -> None:
        at = asyncio.get_running_loop().time() + after
        self._wanted |= dict.fromkeys(numbers, (at, 0))
        self._news.set()

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        round_at = clock()
        while True:
            try:
                if clock() >= round_at:
                    self._want(set(await self._on_disk(self._waiting.numbers)))
                    round_at = clock() + _ROUND
                due = [number for number, (at, _) in self._wanted.items() if at <= clock()][:_TOGETHER]
                if due:
                    began = clock()
                    await self._look_at(due)
                    # A look reads the handovers of half a year. Meanwhile more comes, which costs no more then.
                    await asyncio.sleep(min(_REST * (clock() - began), _REST_AT_MOST))
                    continue
            except _TROUBLE as error:
                _log.warning("what carriers said waits", error=str(error) or repr(error))
                await asyncio.sleep(_PAUSE)
                continue
            except Exception:  # noqa: BLE001 - a full disk, say: webhooks are still taken, and somebody has to tell them
                _log.exception("what carriers said waits: looking at it hit a fault")
                await asyncio.sleep(_PAUSE)
                continue
            self._news.clear()
            until = min([round_at, *(at for at, _ in self._wanted.values())])
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._news.wait()

    async def _look_at(self, numbers: Sequence[str]) -> None:
        looks = {number: self._wanted[number] for number in numbers}
        waiting = await self._on_disk(lambda: {number: self._waiting.of(number) for number in numbers})
        asked = [number for number in numbers if waiting[number]]
        left: set[str] = set()
        if asked:
            now = self._clock.now()
            found = await self._ask("parcels", {"numbers": asked, "since": iso(now - 2 * KEPT)}, self._position or None)
            known = set(found["tracked"])
            handovers = [Handover.from_row(row) for row in found["handovers"]]
            for number in asked:
                of_it = [handover for handover in handovers if handover.number == number]
                if not await self._tell(waiting[number], of_it, known, now):
                    left.add(number)
        for number, look in looks.items():
            if self._wanted.get(number) != look:
                continue  # something came meanwhile
            nth = look[1] + 1
            if number in left and nth < len(_LOOKS):
                self._wanted[number] = (asyncio.get_running_loop().time() + _LOOKS[nth], nth)
            else:
                del self._wanted[number]

    async def _tell(
        self, checkpoints: Sequence[Checkpoint], handovers: Sequence[Handover], known: set[str], now: datetime
    ) -> bool:
        """Append what is new of one parcel; whether all of it is settled."""
        events, settled = facts_of(checkpoints, handovers, known, now)
        for event in events:
            self._position = max(self._position, await self._append(event))
        if settled:
            await self._on_disk(self._waiting.remove, settled)
        if events:
            _log.info("a parcel moved", orders=sorted({event.subject for event in events}), facts=len(events))
        return len(settled) == len(checkpoints)


def appender(connection: Client) -> Callable[[Event], Awaitable[int]]:
    """Writes to the log; the server tells apart what it has just been given."""
    js = connection.jetstream()

    async def append(event: Event) -> int:
        return (await log.append(js, event)).position

    return append
