"""Submissions about an order that nobody has opened yet: kept in REJECTED, and handed in again once it is known.

A shop may upload its day at night, after the importer has long received the watch. What came too early is not lost and
needs no hand: as soon as the order is opened, or the party's own number for it given, the submission goes through
intake again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import orjson
from nats.js import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from events import names
from events.envelope import Event, iso
from events.subjects import box_subject, held_subject, intake_subject, untoken
from services.intake.deciding import is_found
from services.intake.index import Index
from services.intake.numbers import numbers_in
from services.intake.problems import Problem, Refusal, is_held
from services.intake.reading import read_document, read_event
from services.intake.rejecting import Rejected, from_message, held_names, sendable

#: With what is handed in again: until when it may wait for its order.
HELD_UNTIL: Final = "Repairchain-Held-Until"

NumbersOf = Callable[[str], Collection[str]]

#: The facts that name an order, or let somebody take part in it, and how the log has them.
_NAMING: Final = frozenset({"order.opened", "order.referenced", "item.handed_over", "unit.replaced"})
_NAMING_WRITTEN: Final = tuple(sorted(name.encode() for name in _NAMING))


class Held:
    """Which order ids and references of this role's submissions are still waited for."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._waited_for: set[str] = set()
        self._under_way: set[int] = set()  # numbers in REJECTED of what was handed in again and has no outcome yet

    @property
    def waited_for(self) -> frozenset[str]:
        """The ids and references that nobody has named yet."""
        return frozenset(self._waited_for)

    async def load(self, js: JetStreamContext) -> None:
        """Look for what others may have kept, too."""
        self._waited_for |= await held_names(js, self._role)

    def note(self, subject: str, problem: Problem) -> None:
        """A submission was just kept under that subject."""
        if is_held(problem):
            self._waited_for.add(untoken(subject.split(".")[3]))

    async def release(self, js: JetStreamContext, index: Index, name: str) -> None:
        """``name`` is known now: hand in again what waited for it, unless only others call an order so."""
        if name not in self._waited_for:
            return
        # First forgotten, for what is handed in again may come back at once: another party's number of the same name.
        self._waited_for.discard(name)
        try:
            if not await self._resubmit_waiting(js, index, name):
                self._waited_for.add(name)
        except BaseException:
            self._waited_for.add(name)
            raise

    async def _resubmit_waiting(self, js: JetStreamContext, index: Index, name: str) -> bool:
        """Whether nothing waits for it any more."""
        all_gone = True
        after = 0
        subject = held_subject(self._role, name)
        while True:
            try:
                message = await js.get_msg(names.REJECTED, seq=after + 1, subject=subject, next=True)
            except NotFoundError:
                return all_gone
            after = message.seq or after + 1
            try:
                rejected = from_message(message)
            except (KeyError, ValueError):  # whatever somebody else has put there, it is no submission
                continue
            if after in self._under_way or not is_held(rejected.problem):
                continue
            if not _is_found(rejected, index):
                all_gone = False
            else:
                self._under_way.add(after)
                try:
                    await resubmit(js, rejected, to_box=True)
                except BaseException:
                    self._under_way.discard(after)
                    raise

    def settled(self, number: int) -> None:
        """What was handed in again from that number in REJECTED has its outcome."""
        self._under_way.discard(number)

    async def release_known(self, js: JetStreamContext, index: Index) -> None:
        """Hand in again whatever waited for an order or a reference that the index knows by now."""
        for name in self.waited_for:
            if index.names(name):
                await self.release(js, index, name)

    def named_by(self, events: Collection[Event], numbers_of: NumbersOf) -> list[str]:
        """The orders and numbers waited for that these facts name; ``numbers_of`` has those of an order."""
        if not self._waited_for:
            return []
        named = [
            name
            for event in events
            if event.name in _NAMING
            for name in _named(event.name, event.source, event.subject, event.data, numbers_of)
        ]
        return [name for name in named if name in self._waited_for]

    def named_in(self, batch: Sequence[tuple[int, bytes]], numbers_of: NumbersOf) -> list[str]:
        """The same of a part of the log."""
        named: list[str] = []
        if not self._waited_for:
            return named
        for _, payload in batch:
            if not any(name in payload for name in _NAMING_WRITTEN):
                continue
            try:
                document = orjson.loads(payload)
                name = str(document["type"]).removeprefix("repairchain.").rpartition(".v")[0]
                source, subject, data = str(document["source"]), str(document["subject"]), document.get("data")
            except (orjson.JSONDecodeError, KeyError, TypeError):
                continue
            named += _named(name, source, subject, data if isinstance(data, dict) else {}, numbers_of)
        return [name for name in named if name in self._waited_for]


def _is_found(rejected: Rejected, index: Index) -> bool:
    """Whether it would not be held once more. It would have an answer, too, if it cannot be read any more."""
    try:
        event = read_event(read_document(rejected.headers, rejected.payload))
    except Refusal:
        return True
    return is_found(event, index)


def _named(name: str, source: str, subject: str, data: dict[str, Any], numbers_of: NumbersOf) -> Iterator[str]:
    """What may be asked for from now on because of a fact: by anybody, or by whom it lets take part in an order."""
    if name in ("order.opened", "order.referenced"):
        yield subject
    for each in numbers_in(name, source, data):
        yield each.number
    if name in ("item.handed_over", "order.referenced"):
        yield from numbers_of(subject)


async def resubmit(js: JetStreamContext, rejected: Rejected, *, to_box: bool = False) -> int:
    """Hand in one kept submission again; intake removes it from REJECTED with the new outcome. Returns its sequence.

    With ``to_box`` into the partner's own, where many of them stand before nobody else's; if it has none, or that is
    full, into the intake stream.
    """
    headers = {**sendable(rejected.headers), names.RETRY_OF: str(rejected.number)}
    headers.pop(HELD_UNTIL, None)
    if rejected.problem.held_until is not None:  # waiting once more does not make the time longer
        headers[HELD_UNTIL] = iso(rejected.problem.held_until)
    if to_box:
        with suppress(APIError, NoStreamResponseError):
            return (await js.publish(box_subject(rejected.party), rejected.payload, headers=headers)).seq
    return (await js.publish(intake_subject(rejected.party), rejected.payload, headers=headers)).seq
