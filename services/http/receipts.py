"""Receipts as they come from the intake: whoever waits for one hears it; the latest of each party are remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from services.http.remembered import Remembered
from services.http.told import Told
from services.submission import Receipt

_KIND: Final = "receipt"
#: What of a problem is ours alone, and nothing that a partner wrote.
_PLAIN: Final = ("type", "title", "status", "held_until")

#: So many receipts of all parties together are remembered.
KEPT_IN_ALL: Final = 50_000


class Ear:
    """Hears the receipts of one party from its making on, by the place of the submission in the intake stream.

    Earlier ones are of other submissions: after a restored backup the same places come again.
    """

    def __init__(self) -> None:
        self._heard: dict[int, Receipt] = {}
        self._news = asyncio.Event()
        self._waits = True

    def hear(self, receipt: Receipt) -> None:
        self._heard[receipt.sequence] = receipt
        self._news.set()

    def wait_no_more(self) -> None:
        """Whoever waits has what was heard by now."""
        self._waits = False
        self._news.set()

    async def wait(self, sequences: Iterable[int], until: float) -> dict[int, Receipt]:
        """The receipts of ``sequences`` that have come by ``until``, a time of the event loop."""
        wanted = set(sequences)
        while self._waits and not wanted <= self._heard.keys():
            self._news.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._news.wait()
            except TimeoutError:
                break
        return {sequence: self._heard[sequence] for sequence in wanted & self._heard.keys()}


class Receipts:
    """What has been heard lately; also before the service began, where it is recalled."""

    def __init__(self) -> None:
        self._ears: dict[str, set[Ear]] = {}
        self._told: Told | None = None
        self._waits = True
        self.remembered: Remembered[Receipt] = Remembered(KEPT_IN_ALL)

    def recall(self, told: Told) -> None:
        """Go on with what was heard before, and keep there what is heard from now on."""
        before = ((number, party, Receipt.from_json(raw)) for number, party, raw in told.all_of(_KIND))
        self.remembered.recall(*told.begin(_KIND), before)
        self._told = told

    def hear(self, raw: Iterable[dict[str, Any]]) -> None:
        """Take down the receipts of one message."""
        kept: list[tuple[int, str, dict[str, Any]]] = []
        for each in raw:
            receipt = Receipt.from_json(each)
            number = self.remembered.add(receipt.party, receipt)
            kept.append((number, receipt.party, _without_words(each)))
            for ear in self._ears.get(receipt.party, ()):
                ear.hear(receipt)
        if self._told is not None:
            self._told.add(_KIND, kept, self.remembered.in_all)

    def wait_no_more(self) -> None:
        """Nobody waits for receipts from now on."""
        self._waits = False
        for ear in (ear for ears in self._ears.values() for ear in ears):
            ear.wait_no_more()

    @contextmanager
    def listening(self, party: str) -> Iterator[Ear]:
        """Hear what comes for ``party`` from now on."""
        ear = Ear()
        if not self._waits:
            ear.wait_no_more()
        self._ears.setdefault(party, set()).add(ear)
        try:
            yield ear
        finally:
            self._ears[party].discard(ear)
            if not self._ears[party]:
                del self._ears[party]

    def of(self, party: str, id: str | None = None) -> list[Receipt]:
        """The receipts of ``party``, of one event or of all, the latest first."""
        return [receipt for receipt in self.remembered.all_of(party) if id is None or receipt.id == id]


def _without_words(raw: dict[str, Any]) -> dict[str, Any]:
    """A receipt as it is kept: of what is wrong only what kind of thing that is, for its words may repeat hers."""
    problem = raw.get("problem")
    if not isinstance(problem, dict):
        return raw
    return raw | {"problem": {name: problem[name] for name in _PLAIN if name in problem}}


def as_json(receipt: Receipt) -> dict[str, Any]:
    """A receipt as partners see it: ``id``, ``source``, ``outcome``, and where it has them ``order``, ``position`` and
    ``problem``."""
    document: dict[str, Any] = {"id": receipt.id, "source": receipt.party, "outcome": receipt.outcome}
    for name, value in (("order", receipt.order), ("position", receipt.position), ("problem", receipt.problem)):
        if value is not None:
            document[name] = value
    return document
