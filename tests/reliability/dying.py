"""A notifier that dies at a chosen step: the process kills itself, as SIGKILL does it, with nothing tidied up."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from nats.aio.client import Client

from events.clock import SystemClock
from events.envelope import Event
from events.log import Appended
from services import notifier as module
from services.answering import asker
from services.connecting import connect
from services.delivery import delivery_of
from services.logs import configure_logs
from services.notifier import Notifier
from services.notifying import coming_up
from services.notifying.connected import JetStreamLog
from services.notifying.letter import Letter
from services.notifying.outcomes import Outcome
from services.parties import list_parties
from services.settings import load_settings
from services.wiring import make_broker

#: Where a notifier can die. ``during`` the call it is whoever takes the letter that kills it.
BEFORE_INTENT: Final = "before_intent"
AFTER_INTENT: Final = "after_intent"
DURING_CALL: Final = "during_call"
AFTER_CALL: Final = "after_call"
BEFORE_OUTCOME: Final = "before_outcome"
STEPS: Final = (BEFORE_INTENT, AFTER_INTENT, DURING_CALL, AFTER_CALL, BEFORE_OUTCOME)

#: Short, so that a campaign of a thousand deaths ends (seconds).
LEASE: Final = 1.0
RETRY_AFTER: Final = (0.1,) * 40


@dataclass(frozen=True)
class Death:
    """Die at ``step``, when it is reached for the ``nth`` time."""

    step: str
    nth: int = 1


class _Fuse:
    def __init__(self, death: Death | None) -> None:
        self._death = death
        self._left = death.nth if death is not None else 0

    def reached(self, step: str) -> None:
        if self._death is None or step != self._death.step:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def run(settings: dict[str, Any], death: Death | None, ready: Any) -> None:
    """A notifier in this process, until it dies or is killed; ``ready`` is set when it works."""
    configure_logs("notifier", level="error")
    asyncio.run(_run(settings, _Fuse(death), ready.set))


async def _run(given: dict[str, Any], fuse: _Fuse, ready: Callable[[], None]) -> None:
    settings = load_settings(**given)
    connection: Client = await connect(settings, "notifier")
    clock = SystemClock()
    delivery = delivery_of(settings, clock.now)
    send = delivery.send

    async def sending(letter: Letter) -> Outcome:
        outcome = await send(letter)
        fuse.reached(AFTER_CALL)
        return outcome

    delivery.send = sending  # type: ignore[method-assign]  # a fuse in the way of the real one

    class Log(JetStreamLog):
        async def append(self, event: Event) -> Appended:
            planned, outcome = event.name == "message.planned", event.name in ("message.sent", "message.unknown")
            if planned or outcome:
                fuse.reached(BEFORE_INTENT if planned else BEFORE_OUTCOME)
            appended = await super().append(event)
            if planned:
                fuse.reached(AFTER_INTENT)
            return appended

    module.JetStreamLog = Log  # type: ignore[attr-defined]  # the same
    # What a dead one had in hand comes again soon. Only this process, which is about to die, has other limits.
    module._ACK_WAIT = 4.0  # type: ignore[misc]  # final for all others
    coming_up._LOOK_FOR_OTHERS_EVERY = 2.0  # type: ignore[misc]  # the same
    notifier = Notifier(
        make_broker(settings, "notifier"),
        clock,
        asker(connection),
        delivery,
        lambda: list_parties(settings.home),
        retry_after=RETRY_AFTER,
        lease=LEASE,
    )
    await notifier.start()
    ready()
    await asyncio.Event().wait()
