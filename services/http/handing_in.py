"""Handing in for a party into its box, as it would itself over NATS, and waiting for the receipts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import nats.errors
import nats.js.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import PubAck

from events.envelope import CONTENT_TYPE
from events.names import RECEIPTS_ROOT
from events.subjects import box_subject
from services.http.problems import Refused
from services.http.receipts import Receipts
from services.submission import Receipt

#: The server says within this long that a submission is safe (seconds).
_STORED_WITHIN: Final = 5.0
#: A receipt is waited for within the request for so long (seconds); then the partner is told where to look.
WAIT: Final = 10.0

STRUCTURED: Final[Mapping[str, str]] = {"Content-Type": CONTENT_TYPE}

#: What the server says when the box of a partner is full: "maximum messages exceeded", "maximum bytes exceeded".
_FULL: Final = " exceeded"


@dataclass(frozen=True, slots=True)
class Sealed:
    """One submission as it goes over NATS."""

    payload: bytes
    headers: Mapping[str, str]
    id: str | None = None


def sealed(document: Mapping[str, Any]) -> Sealed:
    """A CloudEvent in structured mode."""
    id = document.get("id")
    return Sealed(orjson.dumps(document), STRUCTURED, id if isinstance(id, str) and id else None)


class HandingIn:
    """Hands in over one connection and hears everybody's receipts."""

    def __init__(self, connection: Client, *, wait: float = WAIT) -> None:
        self.receipts = Receipts()
        self.position = 0  # the highest in the log that a receipt has told
        self._connection = connection
        self._js = connection.jetstream(timeout=_STORED_WITHIN)
        self._wait = wait

    async def start(self) -> None:
        """Listen. The subscription is in place when this returns."""
        self._subscription = await self._connection.subscribe(f"{RECEIPTS_ROOT}.>", cb=self._hear)
        await self._connection.flush()

    def wait_no_more(self) -> None:
        """From now on nobody waits for a receipt: what is handed in is safe, and its receipt is remembered."""
        self.receipts.wait_no_more()

    async def stop(self) -> None:
        """Hear no more."""
        with suppress(nats.errors.Error):
            await self._subscription.unsubscribe()

    async def hand_in(self, party: str, submissions: Sequence[Sealed]) -> list[Receipt | None]:
        """The receipt of each, in their order, or None for one that takes longer: it is safe by then all the same.

        Raises Refused if the server does not take one (429, 503); those before it are taken in, and handing in all
        again adds nothing twice.
        """
        with self.receipts.listening(party) as ear:
            places = await self._publish(box_subject(party), submissions)
            found = await ear.wait(places, asyncio.get_running_loop().time() + self._wait)
        return [found.get(place) for place in places]

    async def _publish(self, subject: str, submissions: Sequence[Sealed]) -> list[int]:
        waiting: list[asyncio.Future[PubAck]] = []
        try:
            async with asyncio.timeout(_STORED_WITHIN):
                for each in submissions:
                    headers = dict(each.headers)
                    waiting.append(await self._js.publish_async(subject, each.payload, headers=headers))
                # All of them are waited for, so that no failure is left that nobody has looked at.
                acknowledged = await asyncio.gather(*waiting, return_exceptions=True)
            for failed in (each for each in acknowledged if isinstance(each, BaseException)):
                raise failed
            return [ack.seq for ack in acknowledged if isinstance(ack, PubAck)]
        except nats.js.errors.APIError as error:
            said = error.description or ""
            if said.endswith(_FULL):
                raise Refused(429, "too-many", "too much of yours waits to be taken in: try again later", 10) from None
            raise _unavailable(said) from None
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError):
            raise _unavailable("") from None
        finally:
            for future in waiting:
                future.cancel()

    async def _hear(self, message: Msg) -> None:
        told = orjson.loads(message.data)["receipts"]
        self.position = max([self.position, *(int(each.get("position") or 0) for each in told)])
        self.receipts.hear(told)


def _unavailable(said: str) -> Refused:
    why = f" ({said})" if said else ""
    return Refused(
        503, "unavailable", f"it is not sure that everything was stored{why}: hand it in again, which is safe", 2
    )
