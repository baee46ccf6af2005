"""Her record changes while a message is under way: new channels are tried from the first, and never as if called."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.contact import Channel
from services.notifying.outcomes import Failed
from services.notifying.waiting import AgainLaterError
from tests.services.notifying.chain import OPENED, ORDER, Chain
from tests.services.notifying.desk import Crash
from tests.services.notifying.post import ANNA, TWO_WAYS, Post

NEW = ANNA.model_copy(update={"channels": (Channel(kind="email", address="anna@new.example"),)})


async def test_an_address_that_was_put_right_is_tried_though_the_wrong_one_failed_for_good(chain: Chain) -> None:
    message = chain.given(OPENED).planned(OPENED)
    post = Post(chain, contact=TWO_WAYS)
    post.box.answers = [Failed("smtp_550", again=False), Failed("gateway_503")]
    with pytest.raises(AgainLaterError):
        await post.sender().deliver(ORDER, message.message)
    post.contact = NEW
    await post.sender().deliver(ORDER, message.message)
    assert [letter.to_address for letter in post.box.sent] == ["anna@new.example"]
    assert post.fates == {message.message: "sent"}


async def test_what_died_on_one_channel_is_not_repeated_on_another(chain: Chain) -> None:
    """By mail nobody knows; that a webhook, which takes a repeat for one, came along since says nothing of that."""
    message = chain.given(OPENED).planned(OPENED)
    post = Post(chain)

    async def dies(_: str) -> None:
        raise Crash

    post.box.meanwhile = dies
    with pytest.raises(Crash):
        await post.sender().deliver(ORDER, message.message)
    post.box.meanwhile, post.box.forgiving, post.contact = None, True, NEW
    await post.sender().deliver(ORDER, message.message)
    assert post.fates == {message.message: "unknown"}
    assert post.box.attempts == 0


async def test_the_same_channels_go_on_where_they_were(chain: Chain) -> None:
    message = chain.given(OPENED).planned(OPENED)
    post = Post(chain, contact=TWO_WAYS)
    post.box.answers = [Failed("smtp_550", again=False), Failed("gateway_503")]
    with pytest.raises(AgainLaterError) as later:
        await post.sender().deliver(ORDER, message.message)
    chain.clock.set(chain.clock.now() + timedelta(seconds=later.value.delay))
    await post.sender().deliver(ORDER, message.message)
    assert [letter.kind for letter in post.box.sent] == ["sms"]
    # Whose channels they are, nobody reads in a claim.
    claim = post.bucket.entries[message.message].value or b""
    assert b"anna" not in claim
    assert b"316" not in claim
