"""Hands submissions in and waits for their receipts, as an operator for any party or as a partner for itself.

Many are on their way at a time, but none overtakes what it may depend on (see lanes.py). A lane is the whole run, or
with ``independent_orders`` each order has its own.

Receipts are not kept by the server. So when none comes for a while, whatever waits for one is handed in again, in its
order, which is harmless: the intake tells repeats apart. Only when the server refuses some publishes and takes others
in the same moment, as at its restart, can facts of one order arrive in another order than they were handed in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from events.envelope import CONTENT_TYPE
from events.subjects import intake_subject, receipts_subject
from services.publishing.lanes import Lanes
from services.publishing.outstanding import Entry, Held, Outstanding
from services.submission import PublishReport, Receipt, Submission

_HEADERS: Final = {"Content-Type": CONTENT_TYPE}

_BREATH: Final = 64  # so many submissions at once, then the event loop gets its turn
_LOOK: Final = 1.0  # seconds between looks at the connection while nothing comes
_FIRST_PAUSE: Final = 0.1  # seconds before a refused publish is tried again; doubled up to _LONGEST_PAUSE
_LONGEST_PAUSE: Final = 2.0

#: JetStream error: the message is larger than the stream takes. Its other refusals pass with time.
TOO_LARGE: Final = 10054

_CLOSED: Final = "the connection to the chain was closed before every receipt had come"


class PublishError(RuntimeError):
    """Publishing cannot go on; the message says why. Handing everything in again adds nothing twice."""


async def publish_submissions(
    connection: Client,
    submissions: Iterable[Submission],
    *,
    on_progress: Callable[[PublishReport], None] | None = None,
    on_receipt: Callable[[Receipt], None] | None = None,
    independent_orders: bool = False,
    window: int = 4_000,
    timeout: float = 60.0,
    repeat_after: float = 15.0,
) -> PublishReport:
    """Hand in all ``submissions`` and wait until each has its receipt.

    ``window`` is how many may be without one at a time. ``timeout`` (seconds) without any receipt ends the wait: the
    report's ``unanswered`` then tells how many were left. After a reconnect, or ``repeat_after`` seconds without any
    receipt, what waits is handed in again. A submission that was held because its order came later in the run is waited
    for once more. ``on_receipt`` hears each receipt (a revised one again), ``on_progress`` the growing report.

    Raises PublishError if the connection is closed, or its login may not speak for a party.
    """
    hear, watch = on_receipt or _nobody, on_progress or _nobody
    publisher = _Publisher(connection, watch, hear, independent_orders, window, timeout, repeat_after)
    try:
        await publisher.run(submissions)
    except (nats.errors.ConnectionClosedError, nats.errors.ConnectionDrainingError):
        raise PublishError(_CLOSED) from None
    finally:
        await publisher.close()
    return publisher.report


def _nobody(_: object) -> None:
    """Hears everything, and does nothing."""


class _Publisher:
    def __init__(
        self,
        connection: Client,
        on_progress: Callable[[PublishReport], None],
        on_receipt: Callable[[Receipt], None],
        independent_orders: bool,
        window: int,
        timeout: float,
        repeat_after: float,
    ) -> None:
        self.report = PublishReport()
        self._connection = connection
        self._on_progress, self._on_receipt = on_progress, on_receipt
        self._independent_orders = independent_orders
        self._window, self._timeout, self._repeat_after = window, timeout, repeat_after
        self._clock = asyncio.get_running_loop().time
        self._old_error = connection.last_error
        self._inbox = connection.new_inbox()
        self._subscriptions: dict[str, Subscription] = {}
        self._lanes: Lanes[Entry] = Lanes()
        self._ready: deque[Entry] = deque()  # their lane is free
        self._sent = Outstanding()
        self._failed: dict[int, Entry] = {}  # of these, refused by the server for the time being
        self._held = Held()
        self._changed = asyncio.Event()
        self._pause = _FIRST_PAUSE
        self._last_news = self._last_repeat = self._clock()
        self._patience = repeat_after
        self._reconnects = connection.stats["reconnects"]

    # -- the flow -----------------------------------------------------------------------------------------------------

    async def run(self, submissions: Iterable[Submission]) -> None:
        """Hand everything in, then wait for what is left."""
        await self._subscribe(f"{self._inbox}.*", self._on_acknowledgement)
        for number, submission in enumerate(submissions, 1):
            if not await self._make_room():
                break
            await self._admit(number, submission)
            if number % _BREATH == 0:
                await asyncio.sleep(0)
                await self._send_ready()
        if await self._drain() and self._expect_held():
            await self._drain()
        self.report.unanswered = self._outstanding
        self._on_progress(self.report)

    async def close(self) -> None:
        """Hear no more of it; the connection stays open."""
        for subscription in self._subscriptions.values():
            try:
                await subscription.unsubscribe()
            except nats.errors.Error:  # the connection is gone, and its subscriptions with it
                return

    @property
    def _outstanding(self) -> int:
        return len(self._sent) + len(self._ready) + self._lanes.waiting

    async def _make_room(self) -> bool:
        while self._failed or self._outstanding >= self._window:
            if not await self._wait():
                return False
        return True

    async def _drain(self) -> bool:
        """Wait for everything; False if it took too long."""
        while self._outstanding:
            if not await self._wait():
                return False
        return True

    async def _admit(self, number: int, submission: Submission) -> None:
        self.report.submitted += 1
        try:
            payload = orjson.dumps(submission.event)
        except TypeError as error:
            self._refuse(submission, f"it cannot be written as JSON: {error}")
            return
        await self._subscribe(receipts_subject(submission.party), self._on_receipts)
        lane = submission.subject if self._independent_orders else ""
        entry = Entry(number, submission, payload, lane)
        if self._lanes.enter(lane, submission.role, entry):
            self._ready.append(entry)  # behind what its lane has set free just now
            await self._send_ready()

    async def _send_ready(self) -> None:
        while self._ready and not self._failed:
            await self._send(self._ready.popleft())

    async def _send(self, entry: Entry) -> None:
        self._sent.add(entry)
        try:
            await self._connection.publish(
                intake_subject(entry.submission.party),
                entry.payload,
                reply=f"{self._inbox}.{entry.number}",
                headers=_HEADERS,
            )
        except nats.errors.MaxPayloadError:
            self._refuse(entry.submission, f"it has {len(entry.payload)} bytes, which is more than the server takes")
            self._land(entry)
        except nats.errors.OutboundBufferLimitError:  # reconnecting, and the buffer is full
            self._failed[entry.number] = entry

    async def _send_again(self, entries: Iterable[Entry]) -> None:
        for entry in sorted(entries, key=lambda entry: entry.number):
            if entry in self._sent:
                self.report.repeated += 1
                await self._send(entry)

    async def _wait(self) -> bool:
        """Until something changes; then send what may go, or again what seems lost. False when it has been too long."""
        self._changed.clear()
        await self._send_ready()
        if self._failed:
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self._look()
            again, self._failed = self._failed, {}
            await self._send_again(again.values())
            return self._clock() - self._last_news < self._timeout
        try:
            await asyncio.wait_for(self._changed.wait(), min(_LOOK, self._repeat_after))
        except TimeoutError:
            self._look()
            if self._clock() - self._last_news >= self._timeout:
                return False
            reconnects = self._connection.stats["reconnects"]
            if reconnects != self._reconnects or self._clock() - self._last_repeat >= self._patience:
                self._reconnects = reconnects
                self._last_repeat = self._clock()
                self._patience *= 2
                await self._send_again(self._sent.all())
        return True

    def _look(self) -> None:
        """Raise what no answer would tell."""
        if self._connection.is_closed:
            raise PublishError(_CLOSED)
        error = self._connection.last_error
        if error is not None and error is not self._old_error and "permissions violation" in str(error).lower():
            said = str(error).removeprefix("nats: ")
            raise PublishError(f"this login may not speak for every party of the submissions: {said}")

    def _news(self) -> None:
        self._last_news = self._last_repeat = self._clock()
        self._patience = self._repeat_after

    # -- what comes back ----------------------------------------------------------------------------------------------

    async def _subscribe(self, subject: str, callback: Callable[[Msg], Awaitable[None]]) -> None:
        if subject not in self._subscriptions:
            self._subscriptions[subject] = await self._connection.subscribe(subject, cb=callback)

    async def _on_acknowledgement(self, message: Msg) -> None:
        """Stored in the intake stream, or refused by the server."""
        entry = self._sent.numbered(int(message.subject.rpartition(".")[2]))
        if entry is None:
            return
        answer = orjson.loads(message.data) if message.data else {}
        error = answer.get("error") or {}  # beside an error there may be a sequence of 0
        if error.get("err_code") == TOO_LARGE:
            self._refuse(entry.submission, "it is larger than the intake stream takes")
            self._land(entry)
        elif error or not answer.get("seq"):
            self.report.trouble = error.get("description") or "no intake stream answers"
            self._failed[entry.number] = entry
        else:
            self._pause = _FIRST_PAUSE
            receipt = self._sent.acknowledged(entry, answer["seq"])
            if receipt is not None:
                self._settle(entry, receipt)
        self._changed.set()

    async def _on_receipts(self, message: Msg) -> None:
        for raw in orjson.loads(message.data)["receipts"]:
            receipt = Receipt.from_json(raw)
            entry = self._sent.match(receipt)
            if entry is None:
                entry = self._held.revised(receipt)
                if entry is None:
                    continue  # a repeat's, or another sender's of the same party
                self.report.take_back()
            self._settle(entry, receipt)
            self._news()
            self._changed.set()
        self._on_progress(self.report)

    def _settle(self, entry: Entry, receipt: Receipt) -> None:
        self.report.count(entry.submission, receipt)
        self._held.note(entry, receipt)
        self._on_receipt(receipt)
        self._land(entry)

    def _refuse(self, submission: Submission, detail: str) -> None:
        """Write the receipt ourselves for what cannot even be sent."""
        problem = {"type": "about:blank", "title": "The submission could not be sent", "detail": detail}
        receipt = Receipt(submission.party, submission.id, "rejected", problem=problem)
        self.report.count(submission, receipt)
        self._on_receipt(receipt)

    def _land(self, entry: Entry) -> None:
        """It is done: forget it, and let go what waited for it."""
        if entry in self._sent:
            self._sent.remove(entry)
            self._failed.pop(entry.number, None)
        if entry.lane is not None:
            self._ready.extend(self._lanes.leave(entry.lane))
            entry.lane = None

    def _expect_held(self) -> bool:
        """What was rejected for want of an order that has come since is taken in by itself: wait for its receipts."""
        for entry in self._held.take_hopeful():
            self.report.take_back()
            self._sent.add(entry)
        self._news()
        return len(self._sent) > 0
