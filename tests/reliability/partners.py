"""Partners that hand in whatever happens: what was not acknowledged is handed in again, and every receipt is kept."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from events.subjects import intake_subject, receipts_subject
from services.ending import end
from tests.reliability.plan import Submission

#: Without an acknowledgement for so long (seconds), a submission is handed in again.
_ACKNOWLEDGED_WITHIN = 1.0

#: The server's word for "larger than this stream takes"; its other refusals pass with time.
_TOO_LARGE = 10054


@dataclass
class HandedIn:
    """One submission and its fate. ``sequences``: its places in the intake stream, one per acknowledgement."""

    submission: Submission
    sequences: list[int] = field(default_factory=list)
    refused: bool = False


class Partner:
    """Hands in as ``party``, in order, over any number of broken connections."""

    def __init__(self, party: str, connection: Client) -> None:
        self.party = party
        self.handed_in: list[HandedIn] = []
        self.acknowledged = 0
        self.repeated = 0
        self._connection = connection
        self._queue: asyncio.Queue[Submission] = asyncio.Queue()
        self._by_sequence: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        self._by_id: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._connection.subscribe(receipts_subject(self.party), cb=self._hear)
        await self._connection.flush()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            await end(self._task)

    def give(self, submissions: Sequence[Submission]) -> None:
        """To be handed in after what was given before."""
        for submission in submissions:
            self._queue.put_nowait(submission)

    @property
    def done(self) -> bool:
        """Whether everything that was given is acknowledged or refused."""
        return self._queue.empty() and all(entry.sequences or entry.refused for entry in self.handed_in)

    def receipts(self, entry: HandedIn) -> list[dict[str, Any]]:
        """Every receipt for it: by its places in the stream and, since a held one is taken in later, by its id."""
        found = [receipt for sequence in entry.sequences for receipt in self._by_sequence[sequence]]
        id = entry.submission.id
        return found + [receipt for receipt in self._by_id[id or ""] if receipt not in found]

    async def again(self, entry: HandedIn) -> None:
        """Hand it in once more: its receipt was lost, as receipts are not kept."""
        self.repeated += 1
        await self._hand_in(entry)

    async def _run(self) -> None:
        while True:
            submission = await self._queue.get()
            entry = HandedIn(submission)
            self.handed_in.append(entry)
            await self._hand_in(entry)

    async def _hand_in(self, entry: HandedIn) -> None:
        subject = intake_subject(self.party)
        while True:
            try:
                reply = await self._connection.request(subject, entry.submission.body, timeout=_ACKNOWLEDGED_WITHIN)
            except (nats.errors.Error, TimeoutError, OSError):
                self.repeated += 1
                # Without a server, asking again at once would only spin.
                await asyncio.sleep(0.05)
                continue
            answer = orjson.loads(reply.data)
            error = answer.get("error")
            if error is None:
                entry.sequences.append(answer["seq"])
                self.acknowledged += 1
                return
            if error.get("err_code") == _TOO_LARGE:
                entry.refused = True
                return
            self.repeated += 1

    async def _hear(self, message: Msg) -> None:
        for receipt in orjson.loads(message.data)["receipts"]:
            self._by_sequence[receipt["sequence"]].append(receipt)
            if receipt["id"] is not None:
                self._by_id[receipt["id"]].append(receipt)
