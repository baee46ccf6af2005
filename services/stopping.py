"""How long a stop may take: limits that fit into each other, so that a service ends by itself, whatever hangs.

A service that is told to end goes through these steps, one after the other, and nothing depends on a clean end: what is
cut off comes again at the next start.

    health checks are answered no more      HEALTH                     ┐
    what is at hand comes to its end        AT_HAND      ┐             │
    what is on its way here is given back   LAST_HEARD   │ STOPPED     │ ENDED    KILLED
    each of two connections is left         LEAVING      │             │
    and closed                              CLOSING      ┘             ┘

STOPPED is what a service as a whole is waited for. By ENDED the process ends itself as if it were killed: a thread may
hang in a library, or a task may not listen. Only KILLED, when the supervisor loses its patience, comes from outside.
"""

from __future__ import annotations

import asyncio
from typing import Final

#: All in seconds. After this the supervisor kills what has not ended; containers are given longer (compose.yaml).
KILLED: Final = 8.0

#: A process that was told to end is gone after this, whatever hangs in it.
ENDED: Final = 7.5

#: Requests for its health that are at hand. A whole number, since uvicorn wants one.
HEALTH: Final = 1

#: A service, from its first step to its last.
STOPPED: Final = 6.0

#: What is at hand, in whichever steps it comes to its end: a batch and what is left of those before, a letter that is
#: being sent, questions to the desk. The longest of all, for what is cut off here costs most: of a letter nobody knows
#: then whether it left.
AT_HAND: Final = 3.5

#: Requests over HTTP that are at hand; then they are told to come again. And the connections that they came by, which
#: uvicorn is given in whole seconds.
ANSWERED: Final = 2.0
DISCONNECTED: Final = 3

#: What the server has sent and is not here yet: without it there is no giving back in order.
LAST_HEARD: Final = 1.0

#: To leave a connection: until all that was said is said, and until it is closed then.
LEAVING: Final = 0.5
CLOSING: Final = 0.25


class Allowance:
    """Seconds that several steps share. They begin to run when it is first asked how many are left."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over: float | None = None

    def left(self) -> float:
        """So many are left; 0 when they are over."""
        now = asyncio.get_running_loop().time()
        if self._over is None:
            self._over = now + self._seconds
        return max(0.0, self._over - now)
