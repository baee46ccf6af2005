"""How much the streams hold that partners fill, on a real server: what waits is never dropped, old rejections are."""

from __future__ import annotations

import pytest
from nats.js import JetStreamContext
from nats.js.errors import APIError

from events import names
from events.streams import (
    DEFAULT_LIMITS,
    OURS_FROM,
    REJECTED_PER_SUBJECT,
    Limits,
    NoRoomError,
    declare_streams,
    rejected_config,
    repairs_config,
)
from tests.chainserver import ChainServer

MEGABYTE = 1024 * 1024
SMALL = Limits(intake=MEGABYTE, rejected=MEGABYTE)
BODY = b"x" * 200_000


@pytest.fixture
async def js(chain_server: ChainServer) -> JetStreamContext:
    return (await chain_server.connect("keeper")).jetstream()


async def test_what_waits_is_kept_and_the_next_is_refused(js: JetStreamContext) -> None:
    await declare_streams(js, SMALL)
    taken = 5  # of 200 kB into one megabyte
    for _ in range(taken):
        await js.publish("intake.retailer.acme", BODY)
    with pytest.raises(APIError, match="maximum bytes exceeded"):
        await js.publish("intake.retailer.acme", BODY)
    state = (await js.stream_info(names.INTAKE_STREAMS["retailer"])).state
    assert (state.first_seq, state.messages) == (OURS_FROM, taken)


async def test_of_what_was_rejected_the_oldest_goes(js: JetStreamContext) -> None:
    await declare_streams(js, SMALL)
    for _ in range(12):
        await js.publish("rejected.retailer.acme.W-1", BODY)
    state = (await js.stream_info(names.REJECTED)).state
    assert (state.first_seq > 1, state.last_seq, state.bytes <= MEGABYTE) == (True, 12, True)


async def test_limits_may_change_by_whom_they_belong_to(js: JetStreamContext) -> None:
    await declare_streams(js)
    await declare_streams(js, SMALL, updating=[names.INTAKE_STREAMS["retailer"]])
    found = {name: (await js.stream_info(name)).config.max_bytes for name in names.INTAKE_STREAMS.values()}
    assert found == dict.fromkeys(found, DEFAULT_LIMITS.intake) | {names.INTAKE_STREAMS["retailer"]: MEGABYTE}


async def test_a_disk_that_is_too_small_gives_one_clear_sentence(js: JetStreamContext) -> None:
    with pytest.raises(NoRoomError, match=r"no room for stream REJECTED .* lower partner_max_bytes"):
        await declare_streams(js, Limits(rejected=10**18))


def test_one_partner_cannot_fill_what_was_rejected_with_one_order() -> None:
    assert rejected_config().max_msgs_per_subject == REJECTED_PER_SUBJECT


def test_the_log_has_no_bound() -> None:
    config = repairs_config()
    bounds = (config.max_bytes, config.max_age, config.max_msgs, config.max_msgs_per_subject)
    assert not any((bound or 0) > 0 for bound in bounds)
