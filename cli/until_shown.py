"""Waiting until queries show what was just said, so that whoever asks next sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cli.connecting import with_chain
from cli.errors import Problem
from cli.place import Place

if TYPE_CHECKING:
    from nats.aio.client import Client


#: An answer may be lost, as when the server has just taken up a new partner: then the question is put again (seconds).
_ASK_AGAIN: Final = 1.0


async def until_shown(connection: Client, position: int, seconds: float) -> bool:
    """Whether queries show everything up to ``position`` within so many seconds."""
    import asyncio

    from services.answering import NoAnswerError, NobodyAnswersError, QuestionError, ask

    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while (left := end - clock()) > 0:
        try:
            await ask(connection, "position", at_least=position, timeout=min(left, _ASK_AGAIN))
        except NobodyAnswersError:
            return False
        except (QuestionError, NoAnswerError):
            continue  # not there yet
        return True
    return False


def show_soon(place: Place, position: int, seconds: float) -> bool:
    """The same for a command that has no operator's connection; False also where this home has no operator."""
    try:
        return with_chain(place, lambda connection: until_shown(connection, position, seconds))
    except Problem:
        return False
