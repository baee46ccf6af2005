"""One event on its way to its receipt: which receipt is its own. No network here."""

from __future__ import annotations

import asyncio

from services.submission import Receipt


class Pending:
    """Waits for the receipt of the event with that id.

    A receipt is told by its place in the intake stream, which the acknowledgement names; by the event's id only where
    an acknowledgement was lost. Another program of the same partner may have used that id for something else.
    """

    def __init__(self, id: str) -> None:
        self._id = id
        self._places: set[int] = set()
        self._unsure = False
        self._early: dict[int, Receipt] = {}  # came before the acknowledgement that tells whether they are ours
        self._stirred = asyncio.Event()
        self.receipt: Receipt | None = None

    def acknowledged(self, place: int) -> None:
        """The server has it, at that place."""
        self._places.add(place)
        if place in self._early:
            self._settle(self._early[place])

    def unsure(self) -> None:
        """It was sent, and the server may have it or not."""
        self._unsure = True
        for receipt in self._early.values():
            if receipt.id == self._id:
                self._settle(receipt)

    def hear(self, receipt: Receipt) -> None:
        """Take a receipt that may be ours."""
        if receipt.sequence in self._places or (self._unsure and receipt.id == self._id):
            self._settle(receipt)
        elif receipt.id in (self._id, None):
            self._early[receipt.sequence] = receipt

    def stir(self) -> None:
        """Whoever waits looks up: a receipt may have been missed."""
        self._stirred.set()

    async def answered(self, within: float) -> Receipt | None:
        """The receipt; None after ``within`` seconds, or as soon as one may have been missed."""
        if self.receipt is None:
            self._stirred.clear()
            try:
                async with asyncio.timeout(within):
                    await self._stirred.wait()
            except TimeoutError:
                pass
        return self.receipt

    def _settle(self, receipt: Receipt) -> None:
        self.receipt = receipt
        self._stirred.set()
