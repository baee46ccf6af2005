"""Whether trouble is to be expected still: services start together, and who asks first gets no answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from nats.js.errors import Error as JetStreamError

from services.answering import NoAnswerError

#: What whoever starts first meets: nobody answers yet, the log is not declared yet, the server is not reached yet.
_NOT_THERE_YET: Final = (NoAnswerError, JetStreamError, OSError, TimeoutError)

#: By then everything has come up (seconds).
_COMES_UP_WITHIN: Final = 15.0

#: Writes a line into the log.
Say = Callable[..., Any]


class Starting:
    """Begins when it is made, and ends with the first thing that worked, or once it has taken too long."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until = now() + _COMES_UP_WITHIN

    def over(self) -> None:
        """Something worked: from now on trouble is trouble."""
        self._until = self._now()

    def say(self, error: Exception, quietly: Say, aloud: Say) -> Say:
        """How ``error`` is to be told: ``quietly`` while it may only be that not all is there yet, else ``aloud``."""
        return quietly if isinstance(error, _NOT_THERE_YET) and self._now() < self._until else aloud
