"""Which rows of the models are stored of the orders that began last, by digests: a live batch writes only what differs.

Nearly all that an order's facts make is settled, and comes out again as it was. To make its rows, remove those that are
stored and put the same back takes longer than to tell that they are the same. A row's digest, eight bytes, is made of
all that it follows from: places in the log, of which each says one thing for ever, and names.

Rows that pass, which are of what is open, go with every fact of their order and need no digest. Neither does an order
of which more counts than what a row of `expected` has (see beside.py): all of its rows are made and written each time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from projections.custody import OPEN, Handoffs
from projections.matching import Expected
from projections.story import Flags, Numbers, Story

Digests = npt.NDArray[np.uint64]

#: The digest of a row that passes.
_PASSES: Final = np.uint64(0)
_WIDTH: Final = 8
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
#: Another in each process, like the hashes of texts.
_SEED: Final = np.uint64(hash("kept") & (2**64 - 1))


@dataclass(frozen=True)
class Difference:
    """What has to be written of a model: the ``fresh`` rows, once all of the orders that begin at ``anew`` are gone.

    ``settled`` is what is stored from then on of each order of which that is to be remembered, ``passing`` where rows
    that pass are.
    """

    fresh: Flags
    anew: list[int]
    settled: dict[int, bytes]
    passing: frozenset[int]


@dataclass
class _Rows:
    settled: dict[int, bytes] = field(default_factory=dict)
    passing: set[int] = field(default_factory=set)


class Kept:
    """What is stored of a model, by order. Of orders that are not in it nothing is known."""

    def __init__(self) -> None:
        self._models: dict[str, _Rows] = {}
        self._begin = 0

    def unknown(self, model: str, firsts: Iterable[int]) -> list[int]:
        """Those of the orders of which nothing is known."""
        known = self._rows(model).settled
        return [first for first in firsts if first not in known]

    def passing(self, model: str, firsts: Iterable[int]) -> list[int]:
        """Those of the orders that are known and have rows that pass."""
        known = self._rows(model).passing
        return [first for first in firsts if first in known]

    def compare(self, model: str, touched: Sequence[int], story: Story, made: Made) -> Difference:
        """What was made of the ``touched`` orders, whose facts that count are the story, beyond what is stored of them.

        It is taken for granted that rows that pass, and those of orders of which nothing is known, are gone by then.
        """
        known = self._rows(model).settled
        before = [known.get(first, b"") for first in touched]
        stored = np.frombuffer(b"".join(before), np.uint64)
        settled = (made.digests != _PASSES) & ~made.whole[made.order]
        fresh = ~settled
        anew: list[int] = []
        if len(stored):
            now = made.digests[settled]
            stays = _among(now, stored)
            fresh[settled] = ~stays
            if np.count_nonzero(stays) < len(stored):
                firsts = np.repeat(np.array(touched, np.int64), [len(each) // _WIDTH for each in before])
                anew = np.unique(firsts[~_among(stored, now)]).tolist()
                fresh |= np.isin(story.first_position, anew)[made.order]
        else:
            fresh[:] = True
        whole = frozenset(story.first_position[made.whole].tolist())
        found = dict.fromkeys(touched, b"") | _by_order(story, made.order[settled], made.digests[settled])
        passing = story.first_position[np.unique(made.order[made.digests == _PASSES])].tolist()
        return Difference(
            fresh=fresh,
            anew=anew,
            settled={first: each for first, each in found.items() if first not in whole} if whole else found,
            passing=frozenset(passing),
        )

    def remember(self, model: str, touched: Collection[int], difference: Difference | None) -> None:
        """From here on that is stored of the ``touched`` orders; None: nothing."""
        rows = self._rows(model)
        rows.passing.difference_update(touched)
        if difference is None:
            rows.settled.update(dict.fromkeys(touched, b""))
            return
        settled = difference.settled
        for first in touched:
            if first in settled:
                rows.settled[first] = settled[first]
            else:
                rows.settled.pop(first, None)
        rows.passing.update(difference.passing.intersection(touched).intersection(settled))

    def forget(self, firsts: Iterable[int]) -> None:
        """Know nothing of these orders any more."""
        for first in firsts:
            for rows in self._models.values():
                rows.settled.pop(first, None)
                rows.passing.discard(first)

    def forget_before(self, begin: int) -> None:
        """Know nothing of the orders that begin before that."""
        if begin <= self._begin:
            return
        self._begin = begin
        for rows in self._models.values():
            rows.settled = {first: digests for first, digests in rows.settled.items() if first >= begin}
            rows.passing = {first for first in rows.passing if first >= begin}

    def clear(self) -> None:
        """Know nothing."""
        self._models.clear()
        self._begin = 0

    def _rows(self, model: str) -> _Rows:
        return self._models.setdefault(model, _Rows())


@dataclass(frozen=True)
class Made:
    """Rows of a model as they were made: the number of the order of each, and its digest, 0 if it passes.

    ``whole`` are the orders, by number, of which nothing is left as it is.
    """

    order: Numbers
    digests: Digests
    whole: Flags


def made_handoffs(story: Story, handoffs: Handoffs) -> Made:
    """Of the rows of `handoffs`."""
    places = (handoffs.place, handoffs.received, handoffs.settled)
    digests = _mixed(*(_positions(story, each) for each in places), handoffs.stint, handoffs.state, handoffs.ping_pong)
    digests[handoffs.state == OPEN] = _PASSES
    return Made(story.order[handoffs.place], digests, np.zeros(story.orders, np.bool_))


def made_commitments(story: Story, expected: Expected, whole: Flags) -> Made:
    """Of the rows of `expected`, of which those of `commitments` are made."""
    people, topics = _hashes(story.names), _hashes(expected.topics.to_pylist())
    agreed, order = expected.agreed, expected.order
    named = (expected.named, expected.owner, expected.accountable, expected.counterpart, expected.named_by)
    places = (agreed.customer, agreed.category, agreed.urgency)
    of_orders = _mixed(*(_positions(story, each) for each in places))
    digests = _mixed(
        story.position[expected.place],
        _positions(story, expected.ended),
        expected.kind,
        expected.lane,
        expected.state,
        topics[expected.topic],
        *(people[each] for each in named),
        of_orders[order],
    )
    digests[expected.is_open] = _PASSES
    return Made(order, digests, whole)


def _positions(story: Story, places: Numbers) -> Numbers:
    return np.where(places >= 0, story.position[places], -1) if story.count else places


def _hashes(texts: list[Any]) -> Numbers:
    """A number for each text, and, at -1, for none."""
    return np.array([hash(text) for text in [*texts, None]], np.int64)


def _mixed(*columns: npt.NDArray[Any]) -> Digests:
    """A digest of each row."""
    digests = np.full(len(columns[0]), _SEED)
    for column in columns:
        digests ^= column.astype(np.int64, copy=False).view(np.uint64)
        digests *= _FACTOR
        digests ^= digests >> np.uint64(29)
    return np.maximum(digests, _PASSES + np.uint64(1))


def _among(wanted: Digests, values: Digests) -> Flags:
    """Which of them are there."""
    if not len(values):
        return np.zeros(len(wanted), np.bool_)
    ordered = np.sort(values)
    places = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    found: Flags = ordered[places] == wanted
    return found


def _by_order(story: Story, order: Numbers, digests: Digests) -> dict[int, bytes]:
    """The digests of each order that has any."""
    row = np.argsort(order.astype(np.uint16) if story.orders <= 2**16 else order, kind="stable")
    content = digests[row].tobytes()
    ends = (np.cumsum(np.bincount(order, minlength=story.orders)) * _WIDTH).tolist()
    found, begin = {}, 0
    for first, end in zip(story.first_position.tolist(), ends, strict=True):
        if end > begin:
            found[first] = content[begin:end]
        begin = end
    return found
