"""Who owes what to whom, since when and by when, and what became of it: the rows of the model `commitments`.

What each fact opens, meets and cancels is data (lanes.sql, which matching.py goes by to make `expected`); how long each
may take, and so when it is due, is policy and calendars (terms.py). ``position`` is that of the fact which opened it,
and a fact opens one of each kind at most. A commitment's id is made of its kind and that fact's order, source and id
(see macros.sql); it is not kept, for it would double the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from projections.book import Book
from projections.expected import MET, STATES, Expected
from projections.owing import owing_of
from projections.story import Numbers, chosen, first_that_is
from projections.terms import NONE, as_timestamps

#: What is owed to the customer.
_TO_HER: Final = ("update", "check", "call", "return", "visit", "promise")
_PAUSED: Final = len(STATES)
#: What we ask of our own accord goes out when it falls due, and takes a moment.
_MOMENT: Final = 60_000_000
#: In bytes, of her name where she owes or is owed something.
_LONGEST_NAME: Final = 120


def commitments_of(book: Book, expected: Expected, handover: Numbers, parts: Mapping[str, pa.Table]) -> pa.Table:
    """The rows. ``handover`` is what each is as one, or -1; ``parts`` has the rows of promised.sql, noted.sql and
    told_elsewhere.sql, if any."""
    story, place, order, ended = expected.story, expected.place, expected.order, expected.ended
    owing = owing_of(book, expected, parts)
    judged = owing.judged
    is_open = expected.is_open
    paused = is_open & (owing.paused_for.value_lengths().to_numpy(zero_copy_only=False) > 0)
    met = expected.state == MET
    ended_at = np.where(ended >= 0, story.occurred[ended], NONE) if story.count else ended
    # News is due a while before she was promised it, and kept if it came by then.
    kept_until = np.where(expected.of_kinds(("update",)) & (owing.promised != NONE), owing.promised, judged.due)
    kept_until[expected.of_kinds(("check",))] += _MOMENT
    dated = story.dated[place] if story.count else is_open
    by_when = story.values("by_when", place)
    promises = owing.dates + dated

    people, owner, owed_to = _between(expected)
    promised_by = np.where(dated, expected.named_by, -1)
    codes = (owner, owed_to, expected.accountable, expected.counterpart, promised_by)
    names = chosen(people, np.concatenate(codes))
    owner, owed_to, accountable, counterpart, promised_by = (
        names.slice(number * len(place), len(place)) for number in range(len(codes))
    )
    rows = pa.table(
        {
            "position": pa.array(story.position[place]),
            "first_position": pa.array(story.first_position[order]),
            "kind": chosen(expected.kinds, expected.kind),
            "topic": expected.topics,
            "owner": owner,
            "owed_to": owed_to,
            "accountable": accountable,
            "counterpart": counterpart,
            "opened_at": story.moments(place),
            "due_at": as_timestamps(np.where(paused, NONE, judged.due)),
            "ended_at": story.moments(ended),
            "state": chosen([*STATES, "paused"], np.where(paused, _PAUSED, expected.state)),
            # Of what is paused, what it waits for, and when its time stood still until then (standstill.py).
            "paused_for": owing.paused_for,
            "waits": owing.waits,
            "met_late": pa.array(met & (ended_at > kept_until)),
            "rule": chosen(judged.names, judged.rules),
            "level": pa.array(judged.levels.astype(np.int32)),
            "nudged_at": owing.nudged_at,
            # A fact that came in later disproved what was said.
            "disproved": pa.array((judged.levels > 0) & ~is_open & (ended_at <= judged.due)),
            "withdrawn_at": owing.withdrawn_at,
            "next_at": as_timestamps(np.where(is_open & ~paused, judged.next_at, NONE)),
            "promises": pa.array(promises),
            "first_promised_at": pc.coalesce(by_when, owing.first_promised_at),
            "promised_at": as_timestamps(owing.promised),
            "promised_by": pc.coalesce(owing.promised_by, promised_by.dictionary_decode()),
            # In seconds of the owner's opening hours: how long it may take, and how long it took.
            "allowed": pa.array(judged.allowed // 1_000_000),
            "worked": pa.array(judged.worked // 1_000_000, mask=~met),
            "handover": pa.array(handover, pa.int32(), mask=handover < 0),
        }
    )
    elsewhere = parts.get("told_elsewhere")
    if elsewhere is None or not len(elsewhere):
        return rows
    told = expected.of_kinds(("promise",)) & np.isin(story.position[place], elsewhere["position"].to_numpy())
    return rows.filter(pa.array(~told))


def _between(expected: Expected) -> tuple[Any, Numbers, Numbers]:
    """Who owes it, and to whom, by number; and the names of everybody, customers among them."""
    story, kinds, order = expected.story, expected.of_kinds, expected.order
    names: Any = story.values("name", expected.agreed.customer)
    customers = pc.binary_join_element_wise("customer:", names, "")
    people = pa.concat_arrays([story.people, customers, pa.array(["customer:unknown"])])
    fits = np.asarray(pc.binary_length(names).fill_null(_LONGEST_NAME + 1).to_numpy()) <= _LONGEST_NAME
    customer = np.where(fits, len(story.names) + np.arange(story.orders), -1)[order]

    named, named_by, accountable = expected.named, expected.named_by, expected.accountable
    owner = np.where(
        expected.owner == story.customer, np.where(customer >= 0, customer, len(people) - 1), expected.owner
    )
    answers = kinds(("answer",))
    to_her = kinds(_TO_HER) | (kinds(("cover",)) & (named == accountable) & (named >= 0))
    # A question that somebody puts to himself is one that she asked.
    to_her |= answers & (((named_by == named) & (named >= 0)) | (story.hers[named_by] & (named_by >= 0)))
    owed_to = first_that_is(
        named_by,
        (to_her & (customer >= 0), customer),
        (to_her, accountable),
        (answers, named_by),
        (accountable >= 0, accountable),
    )
    return people, owner, owed_to
