"""When the time of what is owed stands still, and for what. Who is not to go on cannot be late.

The chain waits for the customer; or, with sending on, for who pays to be decided, for nobody sends on what may not be
worth its price. But whoever is to decide may say that it needs the item itself to do so (`work.paused`, waiting for
whoever has it): then that party owes the sending on all the same, and the decision waits until the item is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np

from projections.clock import micros_of
from projections.expected import Expected
from projections.story import Flags, Numbers, Story

#: What it waits for: her, who pays to be decided, or the item. Who reads them has them in this order.
REASONS: Final = ("customer", "cover", "item")
#: A wait that goes on ends then; days after it can still be counted.
FOR_EVER: Final = micros_of(datetime(9999, 1, 1, tzinfo=UTC))

_DECISION: Final = ("cover",)
_SENDING_ON: Final = ("forward",)
#: Kinds that others may wait for.
WAITED_FOR: Final = ("decide", "answer", *_DECISION)


class Wait(NamedTuple):
    """From when until when (microseconds since 1970), and for which of ``REASONS``."""

    begin: int
    end: int
    reason: str


class _Span(NamedTuple):
    begin: int
    end: int


def standstills(expected: Expected) -> dict[int, list[Wait]]:
    """By row of ``expected``, when its time stands still on account of its order, if it ever does."""
    story = expected.story
    waits = _spans(expected, expected.of_kinds(("decide", "answer")) & story.hers[expected.named])
    decisions = _spans(expected, expected.of_kinds(_DECISION))
    if not (waits or decisions):
        return {}
    items = _item_needed(expected) if decisions else {}
    sends_on, decides = expected.of_kinds(_SENDING_ON), expected.of_kinds(_DECISION)
    waiting = np.zeros(story.orders, np.bool_)
    waiting[[*waits, *decisions]] = True
    found: dict[int, list[Wait]] = {}
    for row in np.flatnonzero(expected.waits_for_customer & waiting[expected.order]).tolist():
        order = int(expected.order[row])
        thing = expected.thing[row]
        of_row = [Wait(*span, "customer") for span in _as_one(_for(thing, waits.get(order, ())))]
        if sends_on[row]:
            left = _without(_for(thing, decisions.get(order, ())), items.get(order, ()))
            of_row += [Wait(*span, "cover") for span in left]
        elif decides[row]:
            of_row += [Wait(*span, "item") for span in items.get(order, ())]
        if of_row:
            found[row] = of_row
    return found


def _spans(expected: Expected, rows: Flags) -> dict[int, list[tuple[int, _Span]]]:
    """Since when and until when these rows were owed, by order, one after the other, and of which thing."""
    found: dict[int, list[tuple[int, _Span]]] = {}
    chosen = np.flatnonzero(rows)
    for row in chosen[np.argsort(expected.place[chosen], kind="stable")].tolist():
        span = _span(expected.story, int(expected.place[row]), int(expected.ended[row]))
        found.setdefault(int(expected.order[row]), []).append((int(expected.thing[row]), span))
    return found


def _for(thing: int, spans: Iterable[tuple[int, _Span]]) -> list[_Span]:
    """Those but for what is of another one of several things."""
    return [span for of, span in spans if -1 in (of, thing) or of == thing]


def _as_one(spans: Iterable[_Span]) -> list[_Span]:
    """Spans in order, without what they have in common."""
    merged: list[_Span] = []
    for span in spans:
        if merged and span.begin <= merged[-1].end:
            merged[-1] = _Span(merged[-1].begin, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _span(story: Story, place: int, ended: int) -> _Span:
    return _Span(int(story.occurred[place]), int(story.occurred[ended]) if ended >= 0 else FOR_EVER)


def _without(spans: Iterable[_Span], holes: Iterable[_Span]) -> Iterator[_Span]:
    """What the holes, which are in order, leave of the spans."""
    for begin, end in spans:
        for hole in holes:
            if begin < hole.begin < end:
                yield _Span(begin, hole.begin)
            if hole.begin < end:
                begin = max(begin, hole.end)
        if begin < end:
            yield _Span(begin, end)


def _item_needed(expected: Expected) -> dict[int, list[_Span]]:
    """By order, when whoever is to decide who pays waited for the party that had the item, and owed the sending on."""
    story = expected.story
    pauses = story.places("work.paused")
    decisions, steps = expected.of_kinds(_DECISION), np.flatnonzero(expected.of_kinds(_SENDING_ON))
    decision = _owed_at(expected, decisions, pauses)
    steps = steps[np.argsort(expected.place[steps], kind="stable")]
    asked = np.zeros(len(pauses), np.bool_)
    for number in np.flatnonzero(decision >= 0).tolist():
        asked[number] = _asks_for_it(expected, int(decision[number]), steps, int(pauses[number]))
    if not asked.any():
        return {}
    # It is over once it was said to be, once the item is there or back with her, or by another word of the same party.
    own = story.places("work.paused", "item.received")
    by = _owed_at(expected, decisions, own)
    own = own[(by >= 0) & (story.source[own] == expected.owner[by])]
    ends = np.sort(np.concatenate([own, story.places("work.resumed", "item.returned")]))
    found: dict[int, list[_Span]] = {}
    for place, of_decision in zip(pauses[asked].tolist(), decision[asked].tolist(), strict=True):
        following = ends[np.searchsorted(ends, place, side="right") :][:1].tolist()
        over = [each for each in (*following, int(expected.ended[of_decision])) if 0 <= each < story.end[place]]
        span = _span(story, place, min(over, default=-1))
        found.setdefault(int(story.order[place]), []).append(span)
    return found


def _asks_for_it(expected: Expected, decision: int, steps: Numbers, pause: int) -> bool:
    """Whether whoever owes the decision pauses there to wait for another party that owes one of the ``steps``, which
    are in order."""
    story, decider = expected.story, expected.owner[decision]
    begin, end = np.searchsorted(expected.place[steps], (story.begin[pause], pause + 1))
    steps = steps[begin:end]
    steps = steps[(expected.ended[steps] < 0) | (expected.ended[steps] > pause)]
    owners = {owner for owner in expected.owner[steps].tolist() if owner != decider}
    return bool(story.source[pause] == decider) and any(_waits_for(story, pause, owner) for owner in owners)


def _owed_at(expected: Expected, rows: Flags, places: Numbers) -> Numbers:
    """Which of the rows, of which an order has one at a time, was owed just after each place; -1 if none was."""
    chosen, story = np.flatnonzero(rows), expected.story
    if not (len(chosen) and len(places)):
        return np.full(len(places), -1)
    row_of = np.full(story.count, -1)
    row_of[expected.place[chosen]] = chosen
    opened = story.last(expected.place[chosen])[places]
    row = np.where(opened >= 0, row_of[opened], -1)
    ended = expected.ended[row]
    return np.where((ended < 0) | (ended > places), row, -1)


def _waits_for(story: Story, place: int, holder: int) -> bool:
    """Whether the pause there waits for that party, by its role and, if anybody is named, by name."""
    role = story.names[holder].partition(":")[0]
    return story.word[place] == story.word_code(role) and story.party[place] in (-1, holder)
