"""What a backtest of a story's facts says that she would have been told: the same as she was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from events.clock import Clock
from events.log import last_position
from events.party import role_of
from events.tail import read_until
from projections.book import open_book
from projections.clock import moment_of
from projections.database import Database
from projections.policy import Policy
from services.backtest.loading import Loaded, fill
from services.backtest.owed import read_steps
from services.backtest.records import Message
from services.backtest.run import predicted
from services.backtest.stories import Order, read_log_span, read_orders
from services.importing import ImportReport
from tests.ready import lent_database
from tests.scenarios.stage import Stage, local


async def backtested(scene: Stage, order: str, terms: str | None = None) -> list[tuple[str, str]]:
    """When and of what kind: the messages about ``order`` that a backtest predicts of what partners have said by now.

    Whatever the chain itself has said is left out. ``terms`` is what the operator wrote as policy.
    """
    js = scene.simulation.operator.jetstream()
    log = [json.loads(payload) async for batch in read_until(js, await last_position(js)) for _, payload in batch]
    said = [event for event in log if role_of(event["source"]) != "chain"]
    with lent_database() as database:
        policy = None if terms is None else Policy.parse(terms)
        fill(database, [*said, *_end_of_the_log(scene.simulation.clock)], policy, Loaded(ImportReport()))
        (told,) = [messages for found, messages in _predicted(database) if found.name == order]
    return [(local(moment_of(message.at).isoformat()), message.kind) for message in told]


def _predicted(database: Database) -> Iterator[tuple[Order, list[Message]]]:
    with closing(database.cursor()) as cursor:
        span, book = read_log_span(cursor), open_book(cursor)
        assert span is not None
        steps = read_steps(cursor, book, span.last_at)
        yield from predicted(read_orders(cursor, book, steps, span), book)


def _end_of_the_log(clock: Clock) -> list[dict[str, Any]]:
    """Of another order: until then the log goes on, and orders that it does not close stay open."""
    said = {"order.opened": {"product": {"brand": "none"}}, "order.closed": {"outcome": "cancelled"}}
    return [
        {
            "specversion": "1.0",
            "id": name,
            "source": "retailer:elsewhere",
            "type": f"repairchain.{name}.v1",
            "subject": "END-1",
            "time": clock.now().isoformat(),
            "data": data,
        }
        for name, data in said.items()
    ]
