"""What a batch needs of the service that takes it: made once, at the start, and shared by all that see to batches."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from nats.aio.client import Client
from nats.js import JetStreamContext

from events.clock import Clock
from services.desk.book import Book
from services.intake.feeding import FairFeed
from services.intake.following import Follower
from services.intake.index import Index
from services.intake.limbo import Limbo
from services.intake.reading_ahead import ReadAhead
from services.intake.settling import Settling
from services.intake.sweeping import Sweeper


@dataclass(frozen=True, slots=True)
class BatchNeeds:
    """``lock`` is held by whoever decides on a batch, or changes what the ``index`` knows."""

    connection: Client
    js: JetStreamContext
    clock: Clock
    customers: Book
    index: Index
    follower: Follower
    limbo: Limbo
    settling: Settling
    feed: FairFeed
    sweeper: Sweeper
    ahead: ReadAhead
    lock: asyncio.Lock
