"""Waiting until queries show what was just said, so that whoever asks next sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.asking import with_chain
from cli.errors import Problem
from cli.place import Place

if TYPE_CHECKING:
    from nats.aio.client import Client


async def until_shown(connection: Client, position: int, seconds: float) -> bool:
    """Whether queries show everything up to ``position`` within so many seconds."""
    import asyncio

    from services.answering import NoAnswerError, QuestionError, ask

    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while (left := end - clock()) > 0:
        try:
            await ask(connection, "position", at_least=position, timeout=left)
        except QuestionError:
            continue  # not there yet: the projector waited for a while before it said so
        except NoAnswerError:
            return False
        return True
    return False


def show_soon(place: Place, position: int, seconds: float) -> bool:
    """The same for a command that has no operator's connection; False also where this home has no operator."""
    try:
        return with_chain(place, lambda connection: until_shown(connection, position, seconds))
    except Problem:
        return False
