"""A parcel that its carrier delivered and nobody has received: the letter about the delay says both."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from events.envelope import Event
from events.party import CARRIERS
from tests.services.notifying.chain import DAY, HOUR, IMPORTER, MONDAY, OPENED, SHOP, Chain, body_of, fact, handed

SENT = handed(SHOP, IMPORTER, MONDAY + HOUR, carrier="parcel post", tracking_number="3S-0001")
DELIVERED = "The carrier reports that the parcel was delivered on Tuesday 3 November."


def scan(status: str, at: datetime, number: str = "3S 0001") -> Event:
    return fact("item.tracked", CARRIERS, at, tracking_number=number, status=status)


def letter(chain: Chain, *scans: Event) -> str:
    chain.story(OPENED, SENT)
    if scans:
        chain.given(*scans)
    (overdue,) = chain.falls_overdue("receive", MONDAY + 4 * DAY)
    return body_of(chain.plan_for(overdue))


def test_she_hears_that_it_was_delivered_and_is_looked_for(chain: Chain) -> None:
    said = letter(chain, scan("in_transit", MONDAY + 2 * HOUR), scan("delivered", MONDAY + DAY))
    assert said.startswith("We are sorry: there is a delay")
    assert DELIVERED in said
    assert "we have asked for it to be looked for there" in said
    assert "noord" not in said.casefold()


@pytest.mark.parametrize(
    "scans",
    [
        (),
        (scan("in_transit", MONDAY + DAY),),
        (scan("delivered", MONDAY + DAY, "3S-0002"),),
        # The number was used before: that was another parcel.
        (scan("delivered", MONDAY - timedelta(days=20)),),
        # It was brought back to where it had been taken in.
        (scan("delivered", MONDAY + DAY), scan("exception", MONDAY + DAY + HOUR)),
    ],
)
def test_whatever_else_the_carrier_says_is_no_delivery(chain: Chain, scans: tuple[Event, ...]) -> None:
    said = letter(chain, *scans)
    assert "carrier reports" not in said
    assert "we have asked where it is" in said
