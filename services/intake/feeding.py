"""Feeds a role's intake from many streams at once, fairly: none of its partners can make another wait.

Each stream has one request under way, which waits at the server for a long time: so hundreds of idle partners cost next
to nothing, and what one hands in comes at once. A batch takes an even share from each (sharing.py), in the order in
which the server had them: without a flood, the order between partners stays as it was.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.ending import end
from services.in_hand import UnderWay, give_back, hear_the_last, say_so
from services.intake.delivered import stored_at, stream_of
from services.intake.sharing import Pace, even_share
from services.pulling import TIME_IS_UP

#: A request waits at the server for so long (seconds). One that was lost is made again some time after that.
_LINGER: Final = 30.0

#: Whoever hands in much at a time is seldom silent for so long (seconds): then a batch ends, full or not.
_GAP: Final = 0.01

#: No batch is collected for longer than this (seconds).
_COLLECT: Final = 0.05

#: So often we look after the requests (seconds): after a reconnect all of them are made again.
_LOOK: Final = 0.5

#: After trouble with one stream (seconds).
_PAUSE: Final = 0.5

#: So many batches in a row may leave out who hands in more than its share.
_LIGHT: Final = 3

#: A partner that was silent for so long (seconds) shares with nobody.
_SILENT: Final = 2.0

#: With so many that are worked on still, a stream waits until some of them have their outcome: among others, and alone.
_MOST_UNSETTLED: Final = 100
_MOST_UNSETTLED_ALONE: Final = 1_000

_log = structlog.get_logger("intake")


@dataclass(slots=True)
class _Source:
    """One stream: what has come of it, and the request that is under way."""

    number: int
    stream: str
    messages: deque[Msg] = field(default_factory=deque)
    requests: int = 0
    due: int = 0  # what the request under way may still bring
    over: float = 0.0  # when it has ended, told or not
    quiet_until: float = 0.0  # asked again only then
    last: Msg | None = None  # that came
    came: float = float("-inf")  # when it came
    asked: float = float("-inf")
    beyond: int = 0  # what the server has more, as it said then

    @property
    def stirred(self) -> float:
        """When it was last asked, or something came: where that is long ago, nothing is on its way."""
        return max(self.came, self.asked)


class FairFeed:
    """Messages of one durable consumer name on many streams; it stands in for the subscription of FastStream.

    ``arrived`` hears of each message as it comes, ``missing`` when a stream or its consumer is not there.
    """

    def __init__(
        self, connection: Client, durable: str, arrived: Callable[[Msg], None], missing: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._durable = durable
        self._arrived = arrived
        self._missing = missing
        self._inbox = connection.new_inbox()
        self._sources: dict[str, _Source] = {}
        self._by_number: dict[int, _Source] = {}
        self._unsettled: Counter[str] = Counter()
        self._stopped: Counter[str] = Counter()
        self._made = 0
        self._came = asyncio.Event()
        self._reconnects = connection.stats["reconnects"]
        self._pace = Pace()
        self._alone = True  # the batch that was chosen last is one partner's, as all before it for a while
        self._light = 0  # so many batches in a row had nothing of those who hand in more than their share
        self._closed = False
        self._clock = asyncio.get_running_loop().time

    @property
    def waiting(self) -> int:
        """How many submissions wait, as far as is known here."""
        return sum(len(source.messages) + source.beyond for source in self._sources.values())

    def _at_hand(self) -> list[Msg]:
        return [message for source in self._sources.values() for message in source.messages]

    async def start(self) -> None:
        """Listen for what is asked for."""
        self._subscription = await self._connection.subscribe(
            f"{self._inbox}.*.*", cb=self._take, pending_msgs_limit=0, pending_bytes_limit=0
        )
        self._saying = asyncio.create_task(say_so(self._at_hand))

    async def serve(self, streams: Collection[str], anew: Collection[str] = ()) -> None:
        """Ask these streams from now on, and no others; what has come of another is handed out all the same.

        Of those of ``anew``, what was asked before is not answered: they have been made once more.
        """
        for stream in anew:
            if stream in self._sources:
                self._sources[stream].due = 0
                await self._ask(self._sources[stream])
        for stream in streams:
            if stream not in self._sources:
                self._made += 1
                source = self._sources[stream] = self._by_number[self._made] = _Source(self._made, stream)
                await self._ask(source)
        for stream in self._sources.keys() - set(streams):
            if not self._sources[stream].messages:
                del self._by_number[self._sources.pop(stream).number]

    async def fetch(self, batch: int, timeout: float | None = None) -> list[Msg]:
        """A fair batch; none if nothing came for a while. For FastStream, whose ``batch`` and ``timeout`` are not ours.

        It comes when the batch before has its outcome.
        """
        try:
            await self._ask_all()
            if not self._ready():
                await self._wait()
            await self._collect()
        except nats.errors.Error as error:
            _log.debug("cannot ask for more", error=repr(error))
            await asyncio.sleep(_PAUSE)  # FastStream asks again at once
        if self._closed:
            await asyncio.sleep(_PAUSE)
            return []
        return self._choose()

    def took(self, size: int, seconds: float) -> None:
        """A batch has its outcome, after so long."""
        self._pace.took(seconds, size, alone=self._alone)

    def unsettled(self, streams: Iterable[str]) -> None:
        """What was taken from these, named once for each, is worked on still: of those with much of it nothing more is
        taken for now."""
        self._unsettled.update(streams)

    def stop(self, streams: Iterable[str]) -> None:
        """Of these nothing is taken until ``go_on`` is said of them as often."""
        self._stopped.update(streams)

    def go_on(self, streams: Iterable[str]) -> None:
        """What they were stopped for is over."""
        self._stopped.subtract(streams)
        self._came.set()

    def settled(self, streams: Iterable[str]) -> None:
        """It has its outcome."""
        self._unsettled.subtract(streams)
        self._came.set()

    def put_back(self, message: Msg) -> None:
        """It was handed out and not begun: it is given back with the rest."""
        if (source := self._sources.get(stream_of(message))) is not None:
            source.messages.append(message)

    async def unsubscribe(self) -> None:
        """Take nothing more; what was asked for ahead comes again to whoever asks next, in its order."""
        self._closed = True
        self._came.set()
        await end(self._saying)
        now = self._clock()
        busy = [source for source in self._sources.values() if source.messages or now - source.stirred < _SILENT]
        await hear_the_last(self._connection, self._subscription, [self._under_way(source) for source in busy])
        for source in self._sources.values():
            await give_back(self._connection, source.messages)
            source.messages.clear()

    def _under_way(self, source: _Source) -> UnderWay:
        def is_over() -> bool:
            lost = self._connection.stats["reconnects"] != self._reconnects
            return source.due <= 0 or self._clock() >= source.over or lost

        return UnderWay(source.stream, self._durable, is_over, lambda: source.last)

    # -- choosing -----------------------------------------------------------------------------------------------------

    def _choose(self) -> list[Msg]:
        waiting = self._ready()
        self._alone = self.is_alone
        each, most = self._pace.share(alone=self._alone), self._pace.most(alone=self._alone)
        if len(waiting) > most:  # not even one of each: those who have waited longest
            waiting = sorted(waiting, key=lambda source: stored_at(source.messages[0]))[:most]
        # Who hands in more than its share is left out of most batches: so the others hardly ever wait for it twice.
        light = [source for source in waiting if len(source.messages) <= each]
        self._light = self._light + 1 if 0 < len(light) < len(waiting) and self._light < _LIGHT else 0
        waiting = light if self._light else waiting
        share = even_share([len(source.messages) for source in waiting], each, most)
        chosen = [source.messages.popleft() for source in waiting for _ in range(min(share, len(source.messages)))]
        if len(waiting) > 1:
            chosen.sort(key=stored_at)
        return chosen

    def _ready(self) -> list[_Source]:
        """Those from which something can be taken."""
        most = _MOST_UNSETTLED_ALONE if self._alone else _MOST_UNSETTLED
        return [
            source
            for source in self._sources.values()
            if source.messages and self._unsettled[source.stream] < most and self._stopped[source.stream] == 0
        ]

    @property
    def is_alone(self) -> bool:
        """Whether at most one partner hands in these days, so that nobody waits for what the one does."""
        since = self._clock() - _SILENT
        return sum(bool(source.messages) or source.came > since for source in self._sources.values()) <= 1

    async def _collect(self) -> None:
        """Let more come while it comes quickly. Where several hand in nobody waits for that: what comes while one batch
        is taken is the next."""
        if not self.is_alone:
            return
        until, seen = self._clock() + _COLLECT, 0
        while self._clock() < until:
            counts = [len(source.messages) for source in self._ready()]
            if sum(counts) <= seen or max(counts) >= self._pace.share(alone=True):
                return
            seen = sum(counts)
            await asyncio.sleep(_GAP)

    async def _wait(self) -> None:
        self._came.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), _LOOK)

    # -- asking -------------------------------------------------------------------------------------------------------

    async def _ask_all(self) -> None:
        reconnects = self._connection.stats["reconnects"]
        if reconnects != self._reconnects:  # what was under way went with the connection
            self._reconnects = reconnects
            for source in self._sources.values():
                source.due = 0
        for source in list(self._sources.values()):  # others may be served from now on while this waits
            await self._ask(source)

    async def _ask(self, source: _Source) -> None:
        """Have a request under way, unless more than a batch is at hand."""
        now = self._clock()
        if self._closed or now < source.quiet_until or (source.due > 0 and now < source.over):
            return
        want = self._pace.share(alone=self._alone)
        if len(source.messages) > want:
            source.due = 0
            return
        source.requests += 1
        source.due, source.asked, source.over = want, now, now + _LINGER + 2
        request = {"batch": want, "expires": int(_LINGER * 1e9)}
        await self._connection.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{source.stream}.{self._durable}",
            json.dumps(request).encode(),
            f"{self._inbox}.{source.number}.{source.requests}",
        )

    async def _take(self, message: Msg) -> None:
        if message.reply:
            source = self._sources.get(stream_of(message))
            if source is None:
                return  # its stream was removed a moment ago
            source.due -= 1
            source.last, source.came = message, self._clock()
            source.beyond = int(message.reply.rpartition(".")[2])
            source.messages.append(message)
            self._arrived(message)
        else:
            *_, number, request = message.subject.split(".")
            source = self._by_number.get(int(number))
            if source is None or int(request) != source.requests:
                return
            source.due = 0
            if (message.headers or {}).get("Status") != TIME_IS_UP:
                source.quiet_until = self._clock() + _PAUSE
                self._missing()
        if source.due <= 0:
            with suppress(nats.errors.Error):  # it is asked again when the server is back
                await self._ask(source)
        self._came.set()
