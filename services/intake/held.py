"""Submissions about an order that nobody has opened yet: kept in REJECTED, and handed in again once it is known.

A shop may upload its day at night, after the importer has long received the watch. What came too early is not lost and
needs no hand: as soon as the order is opened, or the party's own number for it given, the submission goes through
intake again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final

import orjson
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from events import names
from events.envelope import Event, iso
from events.subjects import box_subject, intake_subject, token, untoken
from services.intake.index import Index
from services.intake.problems import Problem, is_held
from services.intake.rejecting import Rejected, from_message

#: With what is handed in again: until when it may wait for its order.
HELD_UNTIL: Final = "Repairchain-Held-Until"


class Held:
    """Which order ids and references of this role's submissions are still waited for."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._waited_for: set[str] = set()

    @property
    def waited_for(self) -> frozenset[str]:
        """The ids and references that nobody has named yet."""
        return frozenset(self._waited_for)

    async def load(self, js: JetStreamContext) -> None:
        """Look through what is kept. Ids that are kept for another reason cost a look in vain, no more."""
        info = await js.stream_info(names.REJECTED, subjects_filter=f"{names.REJECTED_ROOT}.{self._role}.>")
        self._waited_for = {untoken(subject.split(".")[3]) for subject in info.state.subjects or {}}

    def note(self, subject: str, problem: Problem) -> None:
        """A submission was just kept under that subject."""
        if is_held(problem):
            self._waited_for.add(untoken(subject.split(".")[3]))

    async def release(self, js: JetStreamContext, name: str) -> None:
        """``name`` is known now: hand in again what waited for it."""
        if name not in self._waited_for:
            return
        # First forgotten, for what is handed in again may come back at once: another party's number of the same name.
        self._waited_for.discard(name)
        try:
            await _resubmit_waiting(js, self._role, name)
        except BaseException:
            self._waited_for.add(name)
            raise

    async def release_known(self, js: JetStreamContext, index: Index) -> None:
        """Hand in again whatever waited for an order or a reference that the index knows by now."""
        for name in self.waited_for:
            if index.names(name):
                await self.release(js, name)

    def named_by(self, events: Collection[Event]) -> list[str]:
        """The orders and references that these facts name and that are waited for."""
        if not self._waited_for:
            return []
        named = [event.subject for event in events if event.name in ("order.opened", "order.referenced")]
        named += [str(event.data.get("reference")) for event in events if event.name == "order.referenced"]
        return [name for name in named if name in self._waited_for]

    def named_in(self, batch: Sequence[tuple[int, bytes]]) -> list[str]:
        """The same of a part of the log."""
        named: list[str] = []
        if not self._waited_for:
            return named
        for _, payload in batch:
            if b"order.opened" not in payload and b"order.referenced" not in payload:
                continue
            try:
                document = orjson.loads(payload)
            except orjson.JSONDecodeError:
                continue
            data = document.get("data") or {}
            for name in (document.get("subject"), data.get("reference") if isinstance(data, dict) else None):
                if isinstance(name, str) and name in self._waited_for:
                    named.append(name)
        return named


async def _resubmit_waiting(js: JetStreamContext, role: str, name: str) -> None:
    after = 0
    subject = f"{names.REJECTED_ROOT}.{role}.*.{token(name)}"
    while True:
        try:
            message = await js.get_msg(names.REJECTED, seq=after + 1, subject=subject, next=True)
        except NotFoundError:
            return
        after = message.seq or after + 1
        if is_held(from_message(message).problem):
            await resubmit(js, message, to_box=True)


async def resubmit(js: JetStreamContext, message: RawStreamMsg, *, to_box: bool = False) -> int:
    """Hand in one kept submission again; intake removes it from REJECTED with the new outcome. Returns its sequence.

    With ``to_box`` into the partner's own, where many of them stand before nobody else's; if it has none, or that is
    full, into the intake stream.
    """
    return await resubmit_kept(js, from_message(message), to_box=to_box)


async def resubmit_kept(js: JetStreamContext, rejected: Rejected, *, to_box: bool = False) -> int:
    """The same of one that was read already."""
    headers = {**rejected.headers, names.RETRY_OF: str(rejected.number)}
    headers.pop(HELD_UNTIL, None)
    if rejected.problem.held_until is not None:  # waiting once more does not make the time longer
        headers[HELD_UNTIL] = iso(rejected.problem.held_until)
    if to_box:
        with suppress(APIError, NoStreamResponseError):
            return (await js.publish(box_subject(rejected.party), rejected.payload, headers=headers)).seq
    return (await js.publish(intake_subject(rejected.party), rejected.payload, headers=headers)).seq
