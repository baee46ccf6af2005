"""Every request has an answer, also while the service stops: what takes too long then is told to come again.

uvicorn alone would cut off what is at hand, and answer with 500 and no word on whether to hand in again.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.ending import look_at_its_end
from services.http.problems import Refused
from services.stopping import ANSWERED

#: A service that is started again is back within about so long (seconds).
_BACK_WITHIN: Final = 5


class Answering:
    """``app`` until ``stop`` is called; then those who come are told to come again (503).

    Those at hand have ANSWERED seconds to end as they would have, and are told the same if they do not.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopping = False

    def stop(self) -> None:
        """Take no more requests."""
        self._stopping = True
        asyncio.get_running_loop().call_later(ANSWERED, self._end)

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Raises what ``app`` raises."""
        if self._stopping:
            await _told_to_come_again(scope, receive, send)
            return
        answer = _Answer(send)
        work = asyncio.ensure_future(self._app(scope, receive, answer.send))
        try:
            await asyncio.wait([work, self._over], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
                return
            begun, answer.is_over = answer.begun, True
        finally:
            if not work.done():  # it may take its time to listen, or never do: nobody waits for it
                work.cancel()
                work.add_done_callback(look_at_its_end)
        if not begun:
            await _told_to_come_again(scope, receive, send)


class _Answer:
    """What is said to a request."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self.is_over = False

    async def send(self, message: Message) -> None:
        if not self.is_over:
            self.begun = True
            await self._send(message)


async def _told_to_come_again(scope: Scope, receive: Receive, send: Send) -> None:
    refused = Refused(
        503,
        "unavailable",
        "the service is being stopped, and answers again in a moment; handing in again is safe",
        _BACK_WITHIN,
        headers={"Connection": "close"},  # what is left of the body is not read
    )
    await refused.response()(scope, receive, send)
