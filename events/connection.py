"""The connection under a JetStream context, to which nats-py has no public way."""

from __future__ import annotations

from nats.aio.client import Client
from nats.js import JetStreamContext


def connection_of(js: JetStreamContext) -> Client:
    """The connection that ``js`` speaks over."""
    return js._nc


def times_reconnected(js: JetStreamContext) -> int:
    """How often it was made anew: each time the server may have come back with another log."""
    return connection_of(js).stats["reconnects"]
