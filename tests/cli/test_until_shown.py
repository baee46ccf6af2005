"""Waiting until queries show what was just said."""

from __future__ import annotations

from typing import Any, cast

import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from cli.until_shown import until_shown
from services.answering import pack


class Asked:
    """A connection on which each question meets with the next of these."""

    def __init__(self, *ends: Exception | dict[str, Any]) -> None:
        self.ends = list(ends)

    async def request(self, subject: str, body: bytes, timeout: float) -> Msg:
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        data, headers = pack(end)
        return Msg(cast(Client, self), subject, "", data, headers)


SHOWN = {"position": 7, "result": {"position": 7}}
BEHIND = {"error": {"title": "Behind", "detail": "the read models are at 6"}}


@pytest.mark.parametrize("lost", [nats.errors.TimeoutError(), TimeoutError(), BEHIND])
async def test_a_question_whose_answer_was_lost_or_came_too_early_is_put_again(
    lost: Exception | dict[str, Any],
) -> None:
    asked = Asked(lost, SHOWN)
    assert await until_shown(cast(Client, asked), 7, 30)
    assert not asked.ends


@pytest.mark.parametrize("gone", [nats.errors.NoRespondersError(), nats.errors.ConnectionClosedError()])
async def test_where_nobody_can_answer_nobody_waits(gone: Exception) -> None:
    asked = Asked(gone, SHOWN)
    assert not await until_shown(cast(Client, asked), 7, 30)
    assert asked.ends == [SHOWN]
