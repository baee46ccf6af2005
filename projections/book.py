"""The book that due times are looked up in: the policies, as they were adopted, and when each party is closed.

A book never changes and is known by what stands in it, so that SQL can name it by a number (functions.py):
a live batch, a rebuild and a look back each say which book they mean, and none can take another's.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import orjson
from duckdb import DuckDBPyConnection

from events.party import role_of
from projections.calendar import ALWAYS, Calendar
from projections.clock import WorkClock
from projections.policies.words import ROUTINE
from projections.policy import DEFAULT_POLICY, Policy, PolicyError, Rule
from projections.statements import execute

#: Microseconds since 1970, in UTC, like everything that the clocks count.
Span = tuple[int, int]

#: More books than this at a time nobody uses: one that is dropped is made again where it is asked for.
_KEPT: Final = 256

_BEFORE_ALL: Final = -(2**62)


class Terms:
    """What holds for commitments of a kind: the rule, the clock that it counts on, and its time on that (microseconds).

    ``own`` is the owner's opening hours, in which the levels after the due time are counted; for urgent orders
    (``hurried``) both run around the clock.

    Whatever has the same rule and the same clock has the same Terms.
    """

    __slots__ = ("allowed", "clock", "day_length", "hurried", "kind", "own", "rule")

    def __init__(
        self, kind: str, rule: Rule, clock: WorkClock, own: WorkClock, day_length: timedelta, *, hurried: bool = False
    ) -> None:
        self.hurried = hurried
        self.kind = kind
        self.rule = rule
        self.own = own
        self.clock = clock
        self.day_length = day_length
        self.allowed = rule.amount.microseconds(day_length)


class Book:
    """Policies by the moment of their adoption, the oldest first, and the closures of parties."""

    def __init__(self, policies: Sequence[tuple[int, Policy]], closures: Mapping[str, Sequence[Span]]) -> None:
        self.policies = ((_BEFORE_ALL, DEFAULT_POLICY), *policies)
        self.closures = {party: tuple(sorted(spans)) for party, spans in closures.items() if spans}
        self.id = _number(
            [(adopted, policy.digest) for adopted, policy in self.policies], sorted(self.closures.items())
        )
        self._terms: dict[tuple[int, str, str, str | None, str | None, str | None], Terms] = {}
        scopes = [override.scope for _, policy in self.policies for override in policy.overrides]
        calendars = {party for _, policy in self.policies for party in policy.calendars}
        parties = {party for scope in scopes for party in (scope.party, scope.from_party) if party is not None}
        self._named = parties | calendars
        self._names_categories = any(scope.category is not None for scope in scopes)
        self._shared: dict[tuple[int, str, str, float | None, timedelta, int, int, bool], Terms] = {}
        self._clocks: dict[tuple[Calendar, str], WorkClock] = {}

    def edition(self, moment: int | None) -> int:
        """The number of the policy that holds for what was settled at ``moment``, or (None) is open."""
        if moment is None:
            return len(self.policies) - 1
        return max(number for number, (adopted, _) in enumerate(self.policies) if adopted <= moment)

    @property
    def policy(self) -> Policy:
        """The policy that holds now."""
        return self.policies[-1][1]

    def clock_of(self, party: str, edition: int = -1) -> WorkClock:
        """The opening hours of ``party``, less its closures. Customers are never closed."""
        return self._clock(self.policies[edition][1].calendar_of(party), party)

    # Most parties, lanes and categories are named nowhere, and have what anybody has: so there is little to look up.

    def owner(self, owner: str | None) -> str:
        """``owner``, or, if no policy names it and it has no closures, whoever stands for its role (``retailer:``)."""
        role = role_of(owner) or owner if owner is not None else ""
        if owner is None or (role != "customer" and (owner in self._named or owner in self.closures)):
            return owner or ""
        return role if role == "customer" else f"{role}:"

    def lane(self, counterpart: str | None) -> str | None:
        """``counterpart`` if a policy names it."""
        return counterpart if counterpart in self._named else None

    def about(self, category: str | None) -> str | None:
        """``category`` if a policy names any."""
        return category if self._names_categories else None

    def terms(
        self, edition: int, kind: str, owner: str, counterpart: str | None, category: str | None, urgency: str | None
    ) -> Terms:
        """What holds for a commitment of that kind."""
        party, lane, about = self.owner(owner), self.lane(counterpart), self.about(category)
        key = (edition, kind, party, lane, about, urgency)
        found = self._terms.get(key)
        if found is None:
            policy = self.policies[edition][1]
            rule = policy.resolve(kind, party, lane, about, urgency)
            if party == "customer":
                rule = rule.model_copy(update={"nudge": None})  # whom we write to anyway
            hurried = (urgency or ROUTINE) != ROUTINE
            calendar = ALWAYS if hurried else policy.calendar_of(party)
            own = WorkClock.of(ALWAYS) if hurried else self._clock(calendar, party)
            # What is due at once is due by the same clock as everything else of the owner's.
            clock = WorkClock.of(ALWAYS) if rule.around_the_clock and rule.amount.count else own
            # Those that come to the same are counted together.
            same = (edition, kind, rule.name, rule.nudge, calendar.day_length, id(clock), id(own), hurried)
            terms = Terms(kind, rule, clock, own, calendar.day_length, hurried=hurried)
            found = self._terms[key] = self._shared.setdefault(same, terms)
        return found

    def _clock(self, calendar: Calendar, party: str) -> WorkClock:
        spans = self.closures.get(party)
        if not spans:
            return WorkClock.of(calendar)
        found = self._clocks.get((calendar, party))
        if found is None:
            found = self._clocks[calendar, party] = WorkClock.of(calendar).less(spans)
        return found


def _number(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big") >> 1


_books: dict[int, Book] = {}
_keeping: Final = threading.Lock()


def keep(book: Book) -> Book:
    """Have ``book`` found by its number. Returns the book that is known by it."""
    with _keeping:
        kept = _books.pop(book.id, book)
        _books[kept.id] = kept  # the last used are at the end
        while len(_books) > _KEPT:
            del _books[next(iter(_books))]
        return kept


def find(number: int) -> Book:
    """The book of that number. Raises KeyError if nobody has kept it."""
    return _books[number]


_POLICIES: Final = "SELECT adopted_at, position, policy::VARCHAR FROM policies"
_CLOSURES: Final = "SELECT party, epoch_us(closed_from), epoch_us(closed_until) FROM closures"


def open_book(cursor: DuckDBPyConnection) -> Book:
    """Make the book of the cursor's `policies` and `closures`, and let its SQL mean that one from here on."""
    book = read_book(cursor)
    use(cursor, book)
    return book


def read_book(cursor: DuckDBPyConnection) -> Book:
    """The book of the cursor's `policies` and `closures`, for whoever does not ask SQL about due times."""
    policies = [
        (_microseconds(adopted_at), policy)
        for adopted_at, _, text in sorted(execute(cursor, _POLICIES).fetchall())
        if (policy := _read_policy(text)) is not None
    ]
    closures: dict[str, list[Span]] = {}
    for party, closed_from, closed_until in execute(cursor, _CLOSURES).fetchall():
        closures.setdefault(party, []).append((closed_from, closed_until))
    return keep(Book(policies, closures))


def use(cursor: DuckDBPyConnection, book: Book) -> None:
    """Let the cursor's SQL mean ``book``."""
    keep(book)
    cursor.execute(f"SET VARIABLE book = {book.id}::BIGINT")


@lru_cache(maxsize=64)
def _read_policy(text: str) -> Policy | None:
    """A policy as the log has it; None for one that this version cannot read, which then changes nothing."""
    try:
        return Policy.from_canonical(orjson.loads(text))
    except (PolicyError, ValueError):
        return None


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001 - DuckDB's are UTC without a zone
