"""The last places for letters in a customer's day, which all notifiers share: the policy says how many she gets.

Each counts the letters that the read models know of. Of one that another notifier has just sent, about another order of
hers, they may not know yet; so who is about to send one of the last first takes its place in the SENDING bucket, which
one of them can. Each place is taken for one message, and by whoever sends that: a retry finds it taken already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Final

from nats.js.errors import KeyWrongLastSequenceError

from services.notifying.claims import Bucket
from services.notifying.turns import Customer

#: So many of the last places have to be taken. Another notifier sends her one letter at a time, too, and what it sent
#: before that has long been read.
LAST: Final = 2


@dataclass(frozen=True)
class DayPlace:
    """The ``first`` of ``most`` places in her ``day`` that is free as far as is known; ``again``: the next morning.

    ``beside``: of those for letters that are beside the others, which have a limit of their own.
    """

    day: date
    first: int
    most: int
    again: datetime
    beside: bool = False


class DayPlaces:
    """Takes places. Raises nats errors if the server does not confirm."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def take(self, customer: Customer, place: DayPlace, message: str) -> bool:
        """Take a place for the letter of ``message``; False if none is left."""
        for number in range(place.first, place.most + 1):
            key = _key(customer, place, number)
            try:
                await self._bucket.create(key, message.encode())
            except KeyWrongLastSequenceError:
                if (await self._bucket.get(key)).value == message.encode():
                    return True
            else:
                return True
        return False


def _key(customer: Customer, place: DayPlace, number: int) -> str:
    name = "\0".join(part or "" for part in customer)
    hers = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"{'beside' if place.beside else 'day'}-{hers}-{place.day.isoformat()}-{number}"
