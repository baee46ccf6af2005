"""The server of the log goes away while a channel is called: what the channel answers is not lost with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import nats.errors
import pytest

from events.envelope import Event
from events.log import Appended
from services.notifying.claims import Claim, Claims
from services.notifying.outcomes import Failed, Outcome
from services.notifying.sending import Sender
from services.notifying.waiting import AgainLaterError
from tests.services.notifying.chain import OPENED, ORDER, Chain
from tests.services.notifying.desk import Bucket, Fuse
from tests.services.notifying.post import Post


class Moody(Bucket):
    """A bucket whose server does not answer ``away`` times."""

    away = 0

    async def update(self, key: str, value: bytes, last: int) -> int:
        if self.away:
            self.away -= 1
            raise nats.errors.TimeoutError
        return await super().update(key, value, last)


class Away:
    """The log behind a server that does not answer ``away`` times."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.away = chain, 0

    async def append(self, event: Event) -> Appended:
        if self.away:
            self.away -= 1
            raise nats.errors.NoServersError
        return await self.chain.append(event)

    async def last_position(self) -> int:
        return await self.chain.last_position()

    async def last_position_of(self, order: str) -> int:
        return await self.chain.last_position_of(order)


class Trouble:
    """A sender whose server goes away for some answers in the middle of the next call."""

    def __init__(self, chain: Chain, answers: int, outcome: Outcome | None = None) -> None:
        self.post = Post(chain)
        self.post.bucket = self.bucket = Moody(Fuse())
        self.log = Away(chain)
        self.answers = answers
        self.post.box.meanwhile = self.go_away
        self.post.box.answers = [outcome] if outcome is not None else []

    async def go_away(self, _: str) -> None:
        self.bucket.away = self.log.away = self.answers

    def sender(self) -> Sender:
        claims = Claims(self.bucket, lease=1_000.0)
        return replace(self.post.sender(), log=self.log, claims=claims, insist=(0.0, 0.0, 0.0))


async def test_that_it_was_sent_is_said_once_the_server_is_back(chain: Chain) -> None:
    message = chain.given(OPENED).planned(OPENED)
    trouble = Trouble(chain, answers=3)
    await trouble.sender().deliver(ORDER, message.message)
    assert trouble.post.fates == {message.message: "sent"}


async def test_that_it_did_not_leave_is_said_once_the_server_is_back(chain: Chain) -> None:
    message = chain.given(OPENED).planned(OPENED)
    trouble = Trouble(chain, answers=3, outcome=Failed("ConnectionRefusedError"))
    with pytest.raises(AgainLaterError) as later:
        await trouble.sender().deliver(ORDER, message.message)
    assert later.value.delay == 5.0
    assert (await Claims(trouble.bucket).look(message.message)).state == "released"


async def test_patience_has_an_end(chain: Chain) -> None:
    message = chain.given(OPENED).planned(OPENED)
    trouble = Trouble(chain, answers=4)
    with pytest.raises(nats.errors.NoServersError):
        await trouble.sender().deliver(ORDER, message.message)
    assert trouble.post.box.attempts == 1


async def test_a_claim_that_cannot_be_renewed_does_not_end_the_call(chain: Chain) -> None:
    """The channel takes its time, the claim is to be renewed meanwhile, and the server does not answer."""
    message = chain.given(OPENED).planned(OPENED)
    trouble = Trouble(chain, answers=0)
    renewals = 0

    class Unheard(Claims):
        async def renew(self, claim: Claim) -> Claim | None:
            nonlocal renewals
            renewals += 1
            raise nats.errors.ConnectionClosedError

    async def takes_its_time(_: str) -> None:
        while renewals < 2:  # noqa: ASYNC110 - what is waited for is that somebody else has tried
            await asyncio.sleep(0)

    trouble.post.box.meanwhile = takes_its_time
    claims = Unheard(trouble.bucket, lease=0.03)
    await replace(trouble.sender(), claims=claims).deliver(ORDER, message.message)
    assert trouble.post.fates == {message.message: "sent"}
