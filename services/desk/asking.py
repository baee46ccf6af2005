"""Asking the read models for the desk, with all that is in the log: an order that was opened just now is hers, too."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext

from events import log
from services.answering import Ask, NoAnswerError

#: So often a query is asked before we say that nobody answers.
_TRIES: Final = 3

#: The server does not answer, or its connection is away.
TROUBLE: Final = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


def up_to_date(ask: Ask, js: JetStreamContext) -> Ask:
    """``ask``, whose answers reflect all that is in the log when it is asked, where no position is named."""

    async def asked(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        at_least = at_least or await log.last_position(js)
        for _ in range(_TRIES - 1):
            with suppress(NoAnswerError):  # a projector that starts, or has much to do
                return await ask(name, args, at_least)
        return await ask(name, args, at_least)

    return asked
