"""An intake that does nothing but answer, as a test wants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from events.names import INTAKE_STREAMS
from events.streams import OURS_FROM
from events.subjects import box_stream, box_subject, party_of_subject, receipts_subject
from services.submission import Submission

#: (event, party, sequence) → what the receipt says beside id and source; None: no receipt.
Answer = Callable[[dict[str, Any], str, int], dict[str, Any] | None]


def accept(event: dict[str, Any], party: str, sequence: int) -> dict[str, Any]:
    """Everything is accepted, at the position of its place among what was handed in."""
    return {"outcome": "accepted", "order": event.get("subject"), "position": sequence % OURS_FROM + 1}


class FakeIntake:
    """The intake of one role, or of one partner's box alone.

    ``diary``, which several may share, tells what was heard and answered, in order.
    """

    def __init__(
        self,
        client: Client,
        role: str,
        answer: Answer = accept,
        diary: list[str] | None = None,
        *,
        sweeps: bool = False,
        box_of: str | None = None,
    ) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.diary = [] if diary is None else diary
        self._client, self._role, self._answer, self._sweeps = client, role, answer, sweeps
        self._stream = INTAKE_STREAMS[role] if box_of is None else box_stream(box_of)
        self._subject = f"intake.{role}.*" if box_of is None else box_subject(box_of)

    async def start(self) -> FakeIntake:
        await self._client.jetstream().subscribe(
            self._subject,
            stream=self._stream,
            durable=f"fake-{self._role}",
            config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, max_ack_pending=1_000),
            manual_ack=True,
            cb=self._take,
        )
        return self

    async def _take(self, message: Msg) -> None:
        event = orjson.loads(message.data)
        party = party_of_subject(message.subject)
        self.heard.append((party, event))
        self.headers.append(dict(message.headers or {}))
        self.diary.append(f"heard {event.get('id')}")
        sequence = message.metadata.sequence.stream
        said = self._answer(event, party, sequence)
        if said is not None:
            await self.tell(party, {"id": event.get("id"), "source": party, "sequence": sequence, **said})
        await message.ack()
        if self._sweeps:
            await self._client.jetstream().purge_stream(self._stream, seq=sequence + 1)

    async def tell(self, party: str, *receipts: dict[str, Any]) -> None:
        """Send receipts of one's own making."""
        self.diary.extend(f"told {each.get('id')}" for each in receipts)
        await self._client.publish(receipts_subject(party), orjson.dumps({"receipts": list(receipts)}))


def submission(id: str | None, party: str = "retailer:acme", order: str = "W-1", **more: Any) -> Submission:
    """Something to hand in."""
    role, _, name = party.partition(":")
    event = {
        "specversion": "1.0",
        "id": id,
        "source": party,
        "type": "repairchain.work.resumed.v1",
        "subject": order,
        "time": "2026-11-02T09:00:00Z",
        "data": {},
        **more,
    }
    return Submission(role, name, event)
