"""Which commitments are stored of the orders that began last, by digests: a live batch writes only what differs.

Nearly all that an order's facts make was there before, and comes out again as it was. To make its rows, remove those
that are stored and put the same back takes longer than to tell that they are the same. A row's digest, eight bytes, is
made of all that it follows from: places in the log, of which each says one thing for ever, and names.

An order of which more counts than what a row of `expected` has (see beside.py) needs no digests: all of its rows are
made and written each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from projections.expected import Expected
from projections.story import Flags, Numbers, Story

#: A row as it is remembered: where the fact stands that it is of, and the row's digest.
_WIDTH: Final = 16
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
#: Another in each process, like the hashes of texts.
_SEED: Final = np.uint64(hash("kept") & (2**64 - 1))
_NOTHING: Final = np.zeros(0, np.bool_)


@dataclass(frozen=True)
class Made:
    """Rows as they were made: the number of the order of each, where the fact stands that it is of, and its digest."""

    order: Numbers
    position: Numbers
    digests: Numbers


@dataclass(frozen=True)
class Difference:
    """What has to be written: the ``fresh`` rows, once all that are of the facts at ``gone`` are removed.

    ``stored`` is what there is from then on of each order of which that is to be remembered; ``unsure`` are the others.
    Of the ``unknown`` orders nothing was known before.
    """

    fresh: Flags
    gone: list[int]
    stored: dict[int, bytes]
    unsure: list[int]
    unknown: list[int]


class Kept:
    """What is stored, by order. Of orders that are not in it nothing is known."""

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}
        self._begin = 0

    def compare(self, touched: Sequence[int], story: Story, made: Made, whole: Flags) -> Difference:
        """What was made of the ``touched`` orders, whose facts that count are the story, beyond what is stored of them.

        Of the ``whole`` orders, by number, nothing is left as it is. It is taken for granted that what is stored of
        orders of which nothing is known is gone by then.
        """
        before = [self._known.get(first) for first in touched]
        stored = np.frombuffer(b"".join(filter(None, before)), np.int64)
        stored_positions, stored_digests = stored[0::2].copy(), stored[1::2].copy()
        place = _places(made.digests, stored_digests)
        stays = place >= 0
        if whole.any():
            stays &= ~whole[made.order]
        goes = np.ones(len(stored_positions), np.bool_)
        goes[place[stays]] = False
        gone = stored_positions[goes]
        unsure = story.first_position[whole].tolist()
        found = dict.fromkeys(touched, b"")
        found.update(_by_order(story, made))
        for first in unsure:
            del found[first]
        return Difference(
            fresh=~stays | (_places(made.position, gone) >= 0),
            gone=gone.tolist(),
            stored=found,
            unsure=unsure,
            unknown=[first for first, rows in zip(touched, before, strict=True) if rows is None]
            if None in before
            else [],
        )

    def remember(self, difference: Difference, begin: int = 0) -> None:
        """From here on that is stored. Of orders that begin before ``begin`` nothing need be known any more."""
        self.forget(difference.unsure)
        stored = difference.stored
        if min(stored, default=begin) < begin:
            stored = {first: rows for first, rows in stored.items() if first >= begin}
        self._known.update(stored)
        if begin > self._begin:
            self._begin = begin
            self._known = {first: rows for first, rows in self._known.items() if first >= begin}

    def remember_nothing(self, firsts: Iterable[int], begin: int) -> None:
        """Of these orders nothing is stored. See ``remember``."""
        self.remember(Difference(_NOTHING, [], dict.fromkeys(firsts, b""), [], []), begin)

    def forget(self, firsts: Iterable[int]) -> None:
        """Know nothing of these orders any more."""
        for first in firsts:
            self._known.pop(first, None)

    def clear(self) -> None:
        """Know nothing."""
        self._known.clear()
        self._begin = 0


def made_of(story: Story, expected: Expected, handover: Numbers) -> Made:
    """The rows of `expected`, of which those of `commitments` are made, with what each is as a handover."""
    people = _hashes(story.names)
    names, things = (_hashes(each.to_pylist()) for each in (story.topics, expected.things))
    topics = np.concatenate([names[:-1], people[:-1], things])
    agreed, order, position = expected.agreed, expected.order, _positions(story, expected.place)
    named = (expected.named, expected.owner, expected.accountable, expected.counterpart, expected.named_by)
    places = (agreed.customer, agreed.category, agreed.urgency)
    of_orders = _mixed(*(_positions(story, each) for each in places))
    digests = _mixed(
        position,
        _positions(story, expected.ended),
        expected.kind,
        expected.lane,
        expected.state,
        handover,
        topics[expected.topic],
        *(people[each] for each in named),
        of_orders[order],
    )
    return Made(order, position, digests)


def _positions(story: Story, places: Numbers) -> Numbers:
    return np.where(places >= 0, story.position[places], -1) if story.count else places


def _hashes(texts: list[Any]) -> Numbers:
    """A number for each text, and, at -1, for none."""
    return np.array([hash(text) for text in [*texts, None]], np.int64)


def _mixed(*columns: npt.NDArray[Any]) -> Numbers:
    """A digest of each row."""
    digests = np.full(len(columns[0]), _SEED)
    for column in columns:
        digests ^= column.astype(np.int64, copy=False).view(np.uint64)
        digests *= _FACTOR
        digests ^= digests >> np.uint64(29)
    return digests.view(np.int64)


def _places(wanted: Numbers, values: Numbers) -> Numbers:
    """Where each of them is among the values, or -1."""
    if not len(values):
        return np.full(len(wanted), -1)
    found: Any = pc.index_in(pa.array(wanted), value_set=pa.array(values))
    return np.asarray(found.fill_null(-1).to_numpy(), np.int64)


def _by_order(story: Story, made: Made) -> Iterator[tuple[int, bytes]]:
    """Of each order its rows."""
    order = made.order
    row = np.argsort(order.astype(np.uint16) if story.orders <= 2**16 else order, kind="stable")
    rows = np.empty((len(row), 2), np.int64)
    rows[:, 0], rows[:, 1] = made.position[row], made.digests[row]
    content = rows.tobytes()
    ends = (np.cumsum(np.bincount(order, minlength=story.orders)) * _WIDTH).tolist()
    begins = [0, *ends[:-1]]
    return zip(story.first_position.tolist(), map(content.__getitem__, map(slice, begins, ends)), strict=True)
