"""The facts that count as arrays of numbers: order by order, each order's as they happened.

Most of what the models ask of an order's story is the first or the last fact of some kind, or how things stood at one.
Once the rows are in order, each such question is a look at few places. SQL asks it by sums over all rows and columns,
which takes several times as long, and for few rows nearly as long as for many.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: A column of a table of Arrow.
Column = Any

_NOWHERE: Final = np.zeros(0, np.int64)

#: Stands for the customer of an order, whoever that is.
CUSTOMER: Final = "customer"


class Story:
    """Facts (the rows of facts.sql, in any order). A place is a row's number in the story, and -1 is no place."""

    def __init__(self, facts: pa.Table) -> None:
        self._facts: Any = facts
        self._columns: dict[str, Column] = {}
        self._roles: dict[str, Flags] = {}
        self.count = len(facts)
        positions, orders, occurred = (_numbers(facts[name]) for name in ("position", "first_position", "occurred_at"))
        self._row = _in_order(positions, orders, occurred)
        self.position, self.occurred = positions[self._row], occurred[self._row]
        self._part(orders[self._row])
        names, self.fact = self._encoded("fact")
        #: What facts there are, by their numbers.
        self.facts = [str(name) for name in names.to_pylist()]
        words, self.word = self._encoded("word")
        self.words: list[str] = words.to_pylist()
        self.topics, self.topic = self._encoded("topic")
        said_by = [self._column("source"), self._column("party"), pa.array([CUSTOMER], pa.string())]
        named: Any = pa.concat_arrays(said_by).dictionary_encode()
        #: Everybody who says or is named anywhere, by their numbers.
        self.people: Any = named.dictionary
        numbers = _indices(named)
        self.source, self.party = numbers[: self.count][self._row], numbers[self.count : -1][self._row]
        self.customer = int(numbers[-1])
        self.dated = self.said("by_when", slice(None))
        self.aside = np.asarray(facts["aside"].to_numpy(), np.bool_)[self._row]
        self._find()

    def _part(self, orders: Numbers) -> None:
        """Tell apart what is of different ``orders``, by whatever number: those of one lie together."""
        fresh = np.ones(self.count, np.bool_)
        fresh[1:] = orders[1:] != orders[:-1]
        #: Of each place the number of its order, and of each order its first place and its first position.
        self.order = np.cumsum(fresh) - 1
        self.starts = np.flatnonzero(fresh)
        self.first_position = orders[self.starts]
        self.orders = len(self.starts)
        self.begin = self.starts[self.order]
        self.end = np.append(self.starts[1:], self.count)[self.order]

    def _find(self) -> None:
        """Note where the facts of each name are."""
        by_fact = np.argsort(self.fact.astype(np.int16), kind="stable")
        bounds = np.searchsorted(self.fact[by_fact], np.arange(len(self.facts) + 1))
        self._places = {name: by_fact[bounds[number] : bounds[number + 1]] for number, name in enumerate(self.facts)}

    def excerpt(self, places: Numbers, orders: Numbers) -> Story:
        """A story of what is told at ``places``, in which that of one number of ``orders`` is an order.

        A place may occur in several of them. People, words and topics have the same numbers as here.
        """
        told = copy(self)
        told.count, told._row = len(places), self._row[places]
        for column in ("position", "occurred", "fact", "word", "topic", "source", "party", "dated", "aside"):
            setattr(told, column, getattr(self, column)[places])
        told._part(orders)
        told._find()
        return told

    def _encoded(self, column: str) -> tuple[Any, Numbers]:
        """The different values, and for each place which of them it has; -1 for NULL."""
        values = self._column(column)
        encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        return encoded.dictionary, _indices(encoded)[self._row]

    def _column(self, column: str) -> Any:
        """The facts' column in one piece."""
        found = self._columns.get(column)
        if found is None:
            found = self._columns[column] = whole(self._facts[column])
        return found

    def says(self, column: str) -> bool:
        """Whether the column says anything anywhere."""
        values = self._column(column)
        return bool(values.null_count < len(values))

    def said(self, column: str, places: Numbers | slice) -> Flags:
        """At which of the places the column says anything."""
        valid = self._column(column).is_valid().to_numpy(zero_copy_only=False)
        return np.asarray(valid, np.bool_)[self._row[places]]

    def values(self, column: str, places: Numbers) -> Column:
        """What the column says at those places; NULL for no place."""
        if not self.count:
            return pa.nulls(len(places), self._facts[column].type)
        return self._column(column).take(_taken(self._row[places], places < 0))

    def persons(self, codes: Numbers) -> Column:
        """The names of people, by their numbers; NULL for -1."""
        return chosen(self.people, codes)

    @cached_property
    def names(self) -> list[str]:
        """The names of people, by their numbers."""
        names: list[str] = self.people.to_pylist()
        return names

    def are(self, role: str) -> Flags:
        """Which people are of a role."""
        if role not in self._roles:
            starts: Any = pc.starts_with(self.people, f"{role}:")
            self._roles[role] = np.asarray(starts.to_numpy(zero_copy_only=False), np.bool_)
        return self._roles[role]

    @cached_property
    def hers(self) -> Flags:
        """Which people are a customer, by name or not."""
        hers = self.are(CUSTOMER).copy()
        hers[self.customer] = True
        return hers

    def moments(self, places: Numbers) -> Column:
        """When the facts at those places happened; NULL for no place."""
        moments = self.occurred[places] if self.count else places
        return pa.array(moments.view("datetime64[us]"), mask=places < 0)

    def word_code(self, word: str) -> int:
        """The number of a word; one that no place has if nobody says it."""
        return self.words.index(word) if word in self.words else -2

    def places(self, *names: str) -> Numbers:
        """Where the facts of these names are, in order."""
        found = [self._places[name] for name in names if name in self._places]
        if len(found) < 2:
            return found[0] if found else _NOWHERE
        return np.sort(np.concatenate(found), kind="stable")

    def first_of_each(self, places: Numbers) -> Numbers:
        """Of each order, the first of ``places`` that it has, -1 if it has none."""
        return self.last_of_each(places[::-1])

    def last_of_each(self, places: Numbers) -> Numbers:
        """Of each order, the last of ``places`` that it has, which are in order; -1 if it has none."""
        found = np.full(self.orders, -1)
        found[self.order[places]] = places  # of several for one order the last is kept
        return found

    def believed_of_each(self, places: Numbers) -> Numbers:
        """Like ``first_of_each``, but of several orders that are one, the one that goes on is believed first."""
        aside = self.aside[places]
        return self.first_of_each(np.concatenate([places[~aside], places[aside]]) if aside.any() else places)

    def count_of_each(self, places: Numbers) -> Numbers:
        """Of each order, how many of ``places`` it has."""
        return np.bincount(self.order[places], minlength=self.orders)

    def last(self, places: Numbers) -> Numbers:
        """For each place, the last of ``places`` up to it, in its order; -1 if there is none."""
        seen = np.full(self.count, -1)
        seen[places] = places
        np.maximum.accumulate(seen, out=seen)
        return np.where(seen >= self.begin, seen, -1)

    def next(self, places: Numbers) -> Numbers:
        """For each place, the first of ``places`` from it on, in its order; ``count`` if there is none."""
        ahead = np.full(self.count, self.count)
        ahead[places] = places
        seen = np.minimum.accumulate(ahead[::-1])[::-1]
        return np.where(seen < self.end, seen, self.count)


def _in_order(positions: Numbers, orders: Numbers, occurred: Numbers) -> Numbers:
    """The rows order by order, each order's as they happened, and those of one moment by position."""
    row = together(orders)
    numbers, places = orders[row], positions[row]
    # Those of an order lie by position nearly always.
    if not np.all((places[1:] > places[:-1]) | (numbers[1:] != numbers[:-1])):
        return np.lexsort((positions, occurred, orders))
    # As they came is how they happened, for most orders. The others are sorted by themselves.
    moments = occurred[row]
    late = (moments[1:] < moments[:-1]) & (numbers[1:] == numbers[:-1])
    if late.any():
        places = np.flatnonzero(np.isin(numbers, numbers[1:][late]))
        row[places] = row[places[np.lexsort((moments[places], numbers[places]))]]
    return row


def together(orders: Numbers) -> Numbers:
    """The rows order by order; those of each order stay as they are."""
    if not len(orders):
        return orders
    least, most = int(orders.min()), int(orders.max())
    if most - least > 8 * len(orders) + 1_024:
        return np.argsort(orders, kind="stable")
    # They lie close together: counting them is quicker than sorting them. Of the short numbers that this makes numpy
    # looks at each digit once, and need not compare them.
    seen = np.zeros(most - least + 1, np.bool_)
    seen[orders - least] = True
    ranks = np.cumsum(seen)
    numbers = ranks[orders - least] - 1
    return np.argsort(numbers.astype(np.uint16) if ranks[-1] <= 2**16 else numbers, kind="stable")


def at(values: npt.NDArray[Any], places: Numbers) -> Any:
    """The values at places; -1 (or False) for no place."""
    nothing = np.full(len(places), False if values.dtype == np.bool_ else -1, values.dtype)
    return np.where(places >= 0, values[places], nothing) if len(values) else nothing


def chosen(texts: Any, codes: Numbers) -> Column:
    """The texts of those numbers, each kept once; NULL for -1."""
    values = texts if isinstance(texts, pa.Array) else pa.array(list(texts), pa.string())
    are_none = codes < 0
    numbers: Any = pa.array(np.where(are_none, 0, codes), pa.int32(), mask=are_none)
    return pa.DictionaryArray.from_arrays(numbers, values)


def first_that_is(otherwise: Any, *choices: tuple[Flags, Any]) -> Any:
    """Row by row the value of the first of ``choices`` that is so. numpy's ``select`` takes several times as long."""
    for is_so, value in reversed(choices):
        otherwise = np.where(is_so, value, otherwise)
    return otherwise


def _taken(numbers: Numbers, are_none: Flags) -> Any:
    return pa.array(np.where(are_none, 0, numbers), pa.int64(), mask=are_none)


def whole(column: Any) -> Any:
    """The column in one piece, as plain text if it is text."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _indices(encoded: Any) -> Numbers:
    """The numbers of the values in the dictionary; -1 for NULL."""
    indices = encoded.indices
    if indices.null_count:
        indices = (indices if pa.types.is_int32(indices.type) else indices.cast(pa.int32())).fill_null(-1)
    return np.asarray(indices.to_numpy(zero_copy_only=False), np.int64)


def _numbers(column: Any) -> Numbers:
    """Positions, or moments in microseconds."""
    return np.asarray(column.to_numpy()).view(np.int64)
