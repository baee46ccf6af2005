"""Which rows of the models are stored of the orders that began last, by digests: a live batch writes only what differs.

Nearly all that an order's facts make was there before, and comes out again as it was. To make its rows, remove those
that are stored and put the same back takes longer than to tell that they are the same. A row's digest, eight bytes, is
made of all that it follows from: places in the log, of which each says one thing for ever, and names.

An order of which more counts than what a row of `expected` has (see beside.py) needs no digests: all of its rows are
made and written each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from projections.custody import Handoffs
from projections.expected import Expected
from projections.story import Flags, Numbers, Story

#: A row as it is remembered: where the fact stands that it is of, with the number of the model, and the row's digest.
_WIDTH: Final = 16
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
#: Another in each process, like the hashes of texts.
_SEED: Final = np.uint64(hash("kept") & (2**64 - 1))


@dataclass(frozen=True)
class Made:
    """Rows of a model as they were made: the number of the order of each, where the fact stands that it is of, and its
    digest."""

    order: Numbers
    position: Numbers
    digests: Numbers


@dataclass(frozen=True)
class Difference:
    """What has to be written of each model: the ``fresh`` rows, once all that are of the facts at ``gone`` are removed.

    ``stored`` is what there is from then on of each order of which that is to be remembered; ``unsure`` are the others.
    Of the ``unknown`` orders nothing was known before.
    """

    fresh: dict[str, Flags]
    gone: dict[str, list[int]]
    stored: dict[int, bytes]
    unsure: list[int]
    unknown: list[int]


class Kept:
    """What is stored of some models, by order. Of orders that are not in it nothing is known."""

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}
        self._begin = 0

    def compare(self, touched: Sequence[int], story: Story, models: Mapping[str, Made], whole: Flags) -> Difference:
        """What was made of the ``touched`` orders, whose facts that count are the story, beyond what is stored of them.

        Of the ``whole`` orders, by number, nothing is left as it is. It is taken for granted that what is stored of
        orders of which nothing is known is gone by then.
        """
        before = [self._known.get(first) for first in touched]
        stored = np.frombuffer(b"".join(filter(None, before)), np.int64)
        stored_keys, stored_digests = stored[0::2].copy(), stored[1::2].copy()
        order = np.concatenate([made.order for made in models.values()])
        keys = np.concatenate([made.position * len(models) + of for of, made in enumerate(models.values())])
        digests = np.concatenate([made.digests for made in models.values()])
        place = _places(digests, stored_digests)
        stays = place >= 0
        if whole.any():
            stays &= ~whole[order]
        goes = np.ones(len(stored_keys), np.bool_)
        goes[place[stays]] = False
        gone = stored_keys[goes]
        fresh = ~stays | (_places(keys, gone) >= 0)
        ends = np.cumsum([len(made.order) for made in models.values()])[:-1]
        unsure = story.first_position[whole].tolist()
        found = dict.fromkeys(touched, b"")
        found.update(_by_order(story, order, keys, digests))
        for first in unsure:
            del found[first]
        return Difference(
            fresh=dict(zip(models, np.split(fresh, ends), strict=True)),
            gone={name: (gone[gone % len(models) == of] // len(models)).tolist() for of, name in enumerate(models)},
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
        self.remember(Difference({}, {}, dict.fromkeys(firsts, b""), [], []), begin)

    def forget(self, firsts: Iterable[int]) -> None:
        """Know nothing of these orders any more."""
        for first in firsts:
            self._known.pop(first, None)

    def clear(self) -> None:
        """Know nothing."""
        self._known.clear()
        self._begin = 0


def made_handoffs(story: Story, handoffs: Handoffs) -> Made:
    """Of the rows of `handoffs`."""
    places = (handoffs.place, handoffs.received, handoffs.settled)
    digests = _mixed(*(_positions(story, each) for each in places), handoffs.stint, handoffs.state, handoffs.ping_pong)
    return Made(story.order[handoffs.place], _positions(story, handoffs.place), digests)


def made_commitments(story: Story, expected: Expected) -> Made:
    """Of the rows of `expected`, of which those of `commitments` are made."""
    people = _hashes(story.names)
    topics = np.concatenate([_hashes(story.topics.to_pylist())[:-1], people])
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


def _by_order(story: Story, order: Numbers, keys: Numbers, digests: Numbers) -> Iterator[tuple[int, bytes]]:
    """Of each order its rows."""
    row = np.argsort(order.astype(np.uint16) if story.orders <= 2**16 else order, kind="stable")
    rows = np.empty((len(row), 2), np.int64)
    rows[:, 0], rows[:, 1] = keys[row], digests[row]
    content = rows.tobytes()
    ends = (np.cumsum(np.bincount(order, minlength=story.orders)) * _WIDTH).tolist()
    begins = [0, *ends[:-1]]
    return zip(story.first_position.tolist(), map(content.__getitem__, map(slice, begins, ends)), strict=True)
