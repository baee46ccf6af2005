"""Receipts: what became of each submission, one message per party and batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Literal

import orjson
from nats.aio.client import Client

from events.subjects import receipts_subject

#: ``held``: it is about an order that nobody has opened yet, and is taken in by itself once somebody has; if nobody has
#: until ``held_until``, there is another receipt, ``rejected``.
Outcome = Literal["accepted", "duplicate", "held", "rejected"]


class Receipts:
    """Collects the receipts of one batch and sends them.

    The message is ``{"receipts": [{"id", "source", "sequence", "outcome", "order"?, "position"?, "held_until"?,
    "problem"?}]}``; ``sequence`` is the submission's place in the intake stream, as its publish acknowledgement told.
    """

    def __init__(self) -> None:
        self._by_party: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(
        self,
        party: str,
        sequence: int,
        id: str | None,
        outcome: Outcome,
        *,
        order: str | None = None,
        position: int | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        receipt: dict[str, Any] = {"id": id, "source": party, "sequence": sequence, "outcome": outcome}
        if order is not None:
            receipt["order"] = order
        if position is not None:
            receipt["position"] = position
        if problem is not None:
            if "held_until" in problem:
                receipt["held_until"] = problem["held_until"]
            receipt["problem"] = problem
        self._by_party[party].append(receipt)

    def take_over(self, others: Receipts) -> None:
        """Send those of another batch, too."""
        for party, receipts in others._by_party.items():
            self._by_party[party] += receipts

    async def send(self, connection: Client) -> None:
        """Tell each party, once. Receipts are not kept: whoever missed one hands in again and is told ``duplicate``."""
        for party, receipts in self._by_party.items():
            for start in range(0, len(receipts), 500):
                body = orjson.dumps({"receipts": receipts[start : start + 500]})
                await connection.publish(receipts_subject(party), body)
        self._by_party.clear()
