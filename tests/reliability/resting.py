"""Waiting until the chain has nothing left to do, without a fixed time: as long as something moves, it goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import orjson
from nats.aio.client import Client
from nats.js import JetStreamContext

from events import names
from events.log import last_position
from events.tail import read_until
from services import rejected
from services.answering import NoAnswerError, QuestionError, ask
from services.boxes import unsettled
from tests.reliability.partners import HandedIn, Partner

#: Without a receipt for so long (seconds), a submission is handed in again.
_RECEIPT_WITHIN = 5.0
_LOOK_AGAIN = 0.1

#: What there is still to do, by what it is; empty if there is nothing.
Left = dict[str, object]


class Resting:
    """First ``all_is_in``, then ``all_is_done``; each gives up when nothing has changed for ``patience`` seconds."""

    def __init__(self, client: Client, partners: Sequence[Partner], patience: float) -> None:
        self._client = client
        self._partners = partners
        self._patience = patience
        self._read_to = 0
        self._said: set[tuple[str, str]] = set()

    async def all_is_in(self) -> None:
        """Whatever was acknowledged is in the log or kept as rejected, although nobody handed it in again."""
        await self._until_nothing(self._not_in)

    async def all_is_done(self) -> None:
        """Everybody has the final receipt, after asking again if need be, and every customer has her messages."""
        asking_again = asyncio.create_task(self._ask_for_lost_receipts())
        try:
            await self._until_nothing(self._not_done)
        finally:
            asking_again.cancel()

    async def _until_nothing(self, look: Callable[[], Awaitable[Left]]) -> None:
        before, left, changed = None, None, time.monotonic()
        while left != {}:
            # A question that went to a server which was just being killed has no answer: that says nothing.
            with suppress(TimeoutError):
                left = await look()
            # What is handed in again makes intake busy for a moment, and is no progress.
            progress = {what: rest for what, rest in (left or {}).items() if what not in names.INTAKE_DURABLES.values()}
            if progress != before:
                before, changed = progress, time.monotonic()
            assert time.monotonic() - changed < self._patience, f"nothing moves any more: {left}"
            await asyncio.sleep(_LOOK_AGAIN)

    async def _not_in(self) -> Left:
        js = self._client.jetstream()
        busy = await pending(js)
        await self._read_on(js)
        good = [each for each in self._submitted() if each.submission.good]
        missing = [each.submission for each in good if (each.submission.party, each.submission.id) not in self._said]
        if missing or any(busy[durable] for durable in names.INTAKE_DURABLES.values()):
            return {"not in the log": missing, **busy}
        kept = {(each.party, each.payload) async for each in rejected.list_rejected(js, limit=1_000_000)}
        bad = [each.submission for each in self._submitted() if not each.submission.good and not each.refused]
        lost = [each for each in bad if (each.party, each.body) not in kept]
        return {"not kept": lost} if lost else {}

    async def _read_on(self, js: JetStreamContext) -> None:
        end = await last_position(js)
        async for batch in read_until(js, end, after=self._read_to):
            for _, payload in batch:
                fact = orjson.loads(payload)
                self._said.add((fact["source"], fact["id"]))
        self._read_to = max(self._read_to, end)

    async def _not_done(self) -> Left:
        js = self._client.jetstream()
        position = await last_position(js)
        left: Left = {"no final receipt": [each.submission.id or each.submission.body for each in self.unanswered()]}
        try:
            stalled = (await ask(self._client, "stalled", at_least=position))["stalled"]
            left["not noted"] = [row["order"] for row in stalled if row["level"] < 1]
            messages = (await ask(self._client, "messages", {"limit": 100_000}, at_least=position))["messages"]
            left["not sent"] = [row["message_id"] for row in messages if row["status"] == "planned"]
        except (NoAnswerError, QuestionError) as error:
            left["no answer"] = str(error)
        left |= await pending(js)
        moved = await last_position(js) != position
        return left | {"position": position} if moved or any(left.values()) else {}

    def unanswered(self) -> list[HandedIn]:
        """What has no final receipt: of a good one, that it is in; of a bad one, any."""
        found = []
        for partner in self._partners:
            for entry in partner.handed_in:
                outcomes = {receipt["outcome"] for receipt in partner.receipts(entry)}
                if not (entry.refused or (outcomes if entry.submission.problem else outcomes - {"held", "rejected"})):
                    found.append(entry)
        return found

    def _submitted(self) -> list[HandedIn]:
        return [entry for partner in self._partners for entry in partner.handed_in]

    async def _ask_for_lost_receipts(self) -> None:
        partners = {partner.party: partner for partner in self._partners}
        while True:
            for entry in self.unanswered():
                await partners[entry.submission.party].again(entry)
            await asyncio.sleep(_RECEIPT_WITHIN)


async def pending(js: JetStreamContext) -> dict[str, int]:
    """How much each intake and the notifier have before them and in hand."""
    info = await js.consumer_info(names.REPAIRS, names.NOTIFIER_DURABLE)
    return await unsettled(js) | {names.NOTIFIER_DURABLE: (info.num_pending or 0) + (info.num_ack_pending or 0)}
