"""Mends for the seams between FastStream and nats-py.

FastStream ends a round of its loop on nats-py's own TimeoutError. When hardly any time is left, nats-py raises the
built-in TimeoutError instead, from which its own is derived: FastStream takes that for a fault, and drops what the
round had collected, which then comes again only after the acknowledgement time has run out. So we see to it that
there is one kind of time-out. (Seen with faststream 0.7.8 and nats-py 2.16.0.)
"""

from __future__ import annotations

from typing import Any

import nats.errors
import structlog
from faststream import FastStream
from nats.aio.client import Client

from services.connecting import leave

_log = structlog.get_logger("pulling")


def mend_timeouts(subscriber: Any) -> None:
    """Make ``fetch`` of a started FastStream pull subscriber raise nats-py's TimeoutError and no other."""
    subscription = subscriber.subscription
    fetch = subscription.fetch

    async def fetch_or_time_out(*args: Any, **kwargs: Any) -> Any:
        try:
            return await fetch(*args, **kwargs)
        except nats.errors.Error:
            raise
        except TimeoutError:
            raise nats.errors.TimeoutError from None

    subscription.fetch = fetch_or_time_out


async def stop_pulling(app: FastStream, connection: Client) -> None:
    """Finish the batch at hand and disconnect. FastStream alone raises when there is no server to disconnect from."""
    try:
        await app.stop()
    except Exception as error:  # noqa: BLE001 - what was not finished comes again at the next start
        _log.debug("stopping", error=repr(error))
    await leave(connection)
