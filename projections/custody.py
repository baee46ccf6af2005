"""Every time an item was handed over: from whom, to whom, and when it came in. By when that is due: commitments.py.

Each is kept as the commitment to receive it, of which handoffs.sql makes the rows of `handoffs`.

A stint is the stretch of an order's story from one handover to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from projections.story import Flags, Numbers, Story, first_that_is

#: Clocks differ: a receipt timed just before its handover was no wait at all. An older one was of another time.
_EARLY: Final = 86_400_000_000

#: By which the item goes from hand to hand.
MOVES: Final = ("item.handed_over", "item.received", "item.returned")

#: What became of a handover, as numbers.
STATES: Final = ("received", "superseded", "closed", "open")
RECEIVED, SUPERSEDED, CLOSED, OPEN = range(4)


@dataclass(frozen=True)
class Handoffs:
    """Handovers in the order of the story: where each is in it, which of its order it is (from 1), what became of it
    (see STATES), the places of the facts that say so (-1 for none), and whether the item went back to whom it was
    from."""

    place: Numbers
    stint: Numbers
    state: Numbers
    received: Numbers
    settled: Numbers
    ping_pong: Flags

    def only(self, rows: Flags) -> Handoffs:
        """Those of them."""
        columns: list[Any] = [self.place, self.stint, self.state, self.received, self.settled, self.ping_pong]
        return Handoffs(*(column[rows] for column in columns))


def handoffs_of(story: Story) -> Handoffs:
    """All handovers of the story."""
    handed = story.places("item.handed_over")
    is_handed = np.zeros(story.count, np.int64)
    is_handed[handed] = 1
    so_far = np.cumsum(is_handed)
    # Sections are numbered through all orders; an order's first is the one before its first handover.
    section = so_far + story.order
    before = so_far - is_handed
    stint = so_far[handed] - before[story.begin[handed]]

    order, source, party = story.order[handed], story.source[handed], story.party[handed]
    follows = np.zeros(len(handed), np.bool_)
    follows[1:] = order[1:] == order[:-1]
    ping_pong = follows.copy()
    ping_pong[1:] &= (source[1:] == party[:-1]) & (party[1:] == source[:-1]) & (party[1:] >= 0)
    superseded = np.full(len(handed), -1)
    superseded[:-1] = np.where(follows[1:], handed[1:], -1)

    receipt = _receipts(story, section, handed)
    closed = _closes(story, section, handed)
    for rows in _apart(story, handed):
        _follow_each(story, rows, handed, superseded, receipt, closed, ping_pong)
    state = first_that_is(OPEN, (receipt >= 0, RECEIVED), (superseded >= 0, SUPERSEDED), (closed >= 0, CLOSED))
    settled = first_that_is(closed, (receipt >= 0, receipt), (superseded >= 0, superseded))
    return Handoffs(handed, stint, state, receipt, settled, ping_pong)


def _receipts(story: Story, section: Numbers, handed: Numbers) -> Numbers:
    """Where each was received: by whom it was meant for, in its stint; or just before, which is at the handover."""
    received = story.places("item.received")
    people = len(story.people) + 1
    keys = section[received] * people + story.source[received]
    sorting = np.argsort(keys, kind="stable")
    keys, received = keys[sorting], received[sorting]
    wanted = section[handed] * people + story.party[handed]
    named = story.party[handed] >= 0
    # Of those in the stint the first, of those before it the last.
    first = np.searchsorted(keys, wanted, side="left")
    found = _equal(keys, first, wanted) & named
    place = np.where(found, _at(received, first), -1)
    last = np.searchsorted(keys, wanted - people, side="right") - 1
    # What one says to have handed to oneself would be received by having come in at all, and nobody owed anything.
    early = _equal(keys, last, wanted - people) & named & (story.party[handed] != story.source[handed])
    early &= story.occurred[_at(received, last)] >= story.occurred[handed] - _EARLY if len(received) else False
    return np.where(found, place, np.where(early, handed, -1))


def _closes(story: Story, section: Numbers, handed: Numbers) -> Numbers:
    """Where in each stint the order was closed, unless it was taken up again."""
    turns = story.places("order.closed", "order.reopened")
    if not len(turns):
        return np.full(len(handed), -1)
    closes = np.zeros(story.count, np.bool_)
    closes[story.places("order.closed")] = True
    sections, wanted = section[turns], section[handed]
    first = np.searchsorted(sections, wanted, side="left")
    last = np.searchsorted(sections, wanted, side="right") - 1
    ends = _equal(sections, first, wanted) & closes[_at(turns, last)]
    return np.where(ends, _at(turns, first), -1)


def _apart(story: Story, handed: Numbers) -> list[Numbers]:
    """The rows of ``handed`` of each order whose things go different ways: none tells of another."""
    names: Any = story.values("name", handed)
    if names.null_count == len(handed):
        return []
    named = np.flatnonzero(names.is_valid().to_numpy(zero_copy_only=False))
    things: dict[int, set[str]] = {}
    for order, name in zip(story.order[handed[named]].tolist(), names.take(pa.array(named)).to_pylist(), strict=True):
        things.setdefault(order, set()).add(name)
    of_order = story.order[handed]
    return [np.flatnonzero(of_order == order) for order, those in things.items() if len(those) > 1]


def _follow_each(
    story: Story,
    rows: Numbers,
    handed: Numbers,
    superseded: Numbers,
    receipt: Numbers,
    closed: Numbers,
    ping_pong: Flags,
) -> None:
    """Say of the handovers in ``rows``, of one order, what became of the thing that each is about."""
    order = int(story.order[handed[rows[0]]])
    received, turns = (
        places[story.order[places] == order]
        for places in (story.places("item.received"), story.places("order.closed", "order.reopened"))
    )
    places = np.concatenate([handed[rows], received])
    things: Any = story.values("name", places)
    item = dict(zip(places.tolist(), things.to_pylist(), strict=True))
    closes = set(story.places("order.closed").tolist())

    def same(one: int, other: int) -> bool:
        return item[one] is None or item[other] is None or item[one] == item[other]

    sent = handed[rows].tolist()
    for row, place in zip(rows.tolist(), sent, strict=True):
        source, party = story.source[place], story.party[place]
        before = next((other for other in reversed(sent) if other < place and same(place, other)), -1)
        after = next((other for other in sent if other > place and same(place, other)), -1)
        end = after if after >= 0 else story.count
        came = [other for other in received.tolist() if story.source[other] == party >= 0 and same(place, other)]
        early = [other for other in came if before < other < place and party != source]
        is_early = bool(early) and story.occurred[early[-1]] >= story.occurred[place] - _EARLY
        said = [turn for turn in turns.tolist() if place < turn < end]
        superseded[row] = after
        receipt[row] = next((other for other in came if place < other < end), place if is_early else -1)
        closed[row] = said[0] if said and said[-1] in closes else -1
        ping_pong[row] = before >= 0 and source == story.party[before] and party == story.source[before] and party >= 0


def _at(values: Numbers, places: Numbers) -> Numbers:
    """The values at places, some of which may be outside and are of no consequence."""
    return values[np.clip(places, 0, len(values) - 1)] if len(values) else np.zeros(len(places), np.int64)


def _equal(keys: Numbers, places: Numbers, wanted: Numbers) -> Flags:
    inside: Flags = (places >= 0) & (places < len(keys))
    inside &= _at(keys, places) == wanted
    return inside


def moves_of_replaced_units(story: Story) -> Numbers:
    """Where a unit goes that another one has taken the place of: that is for the chain alone."""
    swaps, moves = story.places("unit.replaced"), story.places(*MOVES)
    if not len(swaps):
        return swaps
    places = np.sort(np.concatenate([swaps, moves[np.isin(story.order[moves], story.order[swaps])]]))
    units, serials = (story.values(column, places).to_pylist() for column in ("name", "serial"))
    orders, swapped = story.order[places].tolist(), np.isin(places, swaps).tolist()
    out: set[tuple[int, str | None]] = set()
    gone = []
    for place, order, unit, serial, is_swap in zip(places.tolist(), orders, units, serials, swapped, strict=True):
        if is_swap:
            out.add((order, unit))
            out -= {(order, serial), (order, None)}
        elif (order, unit) in out:
            gone.append(place)
    return np.array(gone, np.int64)


def at_her_home(story: Story) -> Numbers:
    """The facts by which it is mended where she has it: an opening that says so, or somebody's visit."""
    opened = story.places("order.opened")
    at_home = opened[story.said("level", opened)]
    return np.concatenate([at_home, story.places("visit.scheduled", "visit.done")])


def without(gone: Numbers, places: Numbers) -> Numbers:
    """``places`` but for those that are ``gone``."""
    kept: Numbers = places[~np.isin(places, gone)] if len(gone) else places
    return kept


def as_numbers(story: Story, handoffs: Handoffs) -> Numbers:
    """What `handoffs` has of each besides what `commitments` has, in one number, which handoffs.sql takes apart: a
    column takes as long to write as to count.
    """
    to_her = story.party[handoffs.place] == story.customer
    numbers: Numbers = ((handoffs.stint * len(STATES) + handoffs.state) * 2 + handoffs.ping_pong) * 2 + to_her
    return numbers
