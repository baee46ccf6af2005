"""Gives each party its daily list: a fact first, then a notice, and an e-mail if its card has an address.

The fact is what makes it once a day: it is appended only if it follows the last list that the read models know of, so
of several notifiers one gets it in, whatever has restarted in between. A list whose notifier dies right after that is
lost for that day, and none is ever given twice. What a mail server did not take it is offered again for the rest of the
day, by the notifier that has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, Protocol

import nats.errors
import structlog

from events.chain import PartyBriefed
from events.envelope import Event, iso, make_event
from events.log import Appended, NotFirstError
from events.party import NOTIFIER
from services.answering import Ask
from services.contact import EMAIL
from services.delivery import Delivery
from services.logs import kind_and_place
from services.notices import DailyList
from services.notifying.forgotten import IsForgotten, mark_forgotten
from services.notifying.letter import Letter
from services.notifying.listing import US, Row, worded_list
from services.notifying.outcomes import Failed, Unknown
from services.parties import PartyCard

#: Whose list is due is asked once in so long: doors open on the minute.
EVERY: Final = timedelta(minutes=1)

#: So many parties at a time: all of a country open at nine.
_SIDE_BY_SIDE: Final = 8

_log = structlog.get_logger("notifier")


class AppendAfter(Protocol):
    """Appends a fact if the last one of its name about its subject is at ``after``, or else raises NotFirstError."""

    async def __call__(self, event: Event, after: int) -> Appended: ...


def whose(rows: list[dict[str, Any]], cards: Mapping[str, PartyCard]) -> list[dict[str, Any]]:
    """Of the rows of the query ``briefings`` those whose list is to be given: who is not registered hears of none."""
    return [row for row in rows if row["due"] and row["party"] in cards]


def fact_of(listing: Row, now: datetime) -> Event:
    """What the log keeps of the list: that it was given, and how much was on it."""
    party, totals = listing["party"], listing["totals"]
    data = PartyBriefed(
        day=date.fromisoformat(listing["day"]),
        open=totals["open"],
        overdue=totals["overdue"],
        asked=totals["asked"],
        calls=totals["calls"],
    )
    id = f"briefed:{party}:{listing['day']}"
    return make_event("party.briefed", source=NOTIFIER, id=id, subject=party, time=now, recordedtime=now, data=data)


def notice_of(listing: Row, now: datetime) -> DailyList:
    """The list as data."""
    return DailyList(party=listing["party"], day=date.fromisoformat(listing["day"]), at=now, list=dict(listing))


def letter_of(listing: Row, cards: Mapping[str, PartyCard], now: datetime) -> Letter | None:
    """The list as an e-mail; None if the party's card has no address. Its id is the party's and the day's."""
    party = listing["party"]
    card = cards[party]
    if card.email is None:
        return None
    words = worded_list(listing, cards, now)
    name = blake2b(f"{party}\0{listing['day']}".encode(), digest_size=12).hexdigest()
    return Letter(
        message=f"list-{name}",
        kind=EMAIL,
        to_name=card.display_name,
        to_address=card.email,
        from_name=US,
        reply_to=None,
        language=words.language,
        subject=words.subject,
        text=words.text,
        date=now,
        news="list",
        html=words.html,
    )


@dataclass
class Briefer:
    """``look`` gives all lists that are due. All that it touches is handed in."""

    ask: Ask
    append: AppendAfter
    last_position: Callable[[], Awaitable[int]]
    notify: Callable[[str, DailyList], Awaitable[None]]
    delivery: Delivery
    cards: Callable[[], Mapping[str, PartyCard]]
    is_forgotten: IsForgotten
    _looked: datetime | None = None
    _stopping: bool = False
    _unsent: dict[str, tuple[str, Letter]] = field(default_factory=dict)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self, now: datetime) -> int:
        """Give every list that is due, and return how many those were; none if the last look was just now.

        Raises NoAnswerError or QuestionError if it cannot be asked whose they are, nats errors if the log is away.
        """
        async with self._one_at_a_time:
            if self._looked is not None and abs(now - self._looked) < EVERY:
                return 0
            # The answer must reflect every list that was given, whoever gave it.
            position = await self.last_position()
            rows = (await self.ask("briefings", {"now": iso(now)}, position))["briefings"]
            self._looked = now
            await self._offer_again({row["party"]: row["day"] for row in rows})
            cards, places = self.cards(), asyncio.Semaphore(_SIDE_BY_SIDE)

            async def give(row: Row) -> bool:
                async with places:
                    # Whoever comes after us gives the rest.
                    return not self._stopping and await self._give(row, cards, position, now)

            return sum(await asyncio.gather(*(give(row) for row in whose(rows, cards))))

    async def stop(self) -> None:
        """Begin no other list, and return when those at hand were given."""
        self._stopping = True
        async with self._one_at_a_time:
            pass

    async def _give(self, row: Row, cards: Mapping[str, PartyCard], position: int, now: datetime) -> bool:
        """Give one list, unless somebody else did; whether it was given."""
        party: str = row["party"]
        try:
            listing = await self.ask("briefing", {"party": party, "now": iso(now)}, position)
            listing = await mark_forgotten(listing, self.ask, self.is_forgotten, now, position)
            letter = letter_of(listing, cards, now)
            if (await self.append(fact_of(listing, now), row["last"])).duplicate:
                return False
            _log.info("briefed", party=party, **listing["totals"])
            with suppress(nats.errors.Error):  # the e-mail goes out all the same
                await self.notify(party, notice_of(listing, now))
            if letter is not None:
                await self._send(party, listing["day"], letter)
        except NotFirstError:
            return False  # another notifier was quicker
        except Exception as fault:  # noqa: BLE001 - a fault with one party's list must not keep those of all others
            _log.warning("no list", party=party, error=kind_and_place(fault))
            return False
        return True

    async def _send(self, party: str, day: str, letter: Letter) -> None:
        match await self.delivery.send(letter):
            case Failed(reason=reason, again=True):
                self._unsent[party] = (day, letter)
                _log.warning("a list could not be sent, and is offered again", party=party, reason=reason)
            case Failed(reason=reason) | Unknown(reason=reason):
                _log.warning("a list was not sent", party=party, reason=reason)

    async def _offer_again(self, days: Mapping[str, str]) -> None:
        """Letters of today that the service did not take; yesterday's list says nothing any more."""
        for party, (day, letter) in list(self._unsent.items()):
            del self._unsent[party]
            if days.get(party) == day:
                await self._send(party, day, letter)
