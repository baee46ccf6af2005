"""Whether those who are to say that something came in are partners of this chain: nobody else hears of it."""

from __future__ import annotations

import asyncio
import shlex
from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from cli.checks.check import Check
from cli.place import Place
from cli.render.plain import many

if TYPE_CHECKING:
    from nats.aio.client import Client

_NAME: Final = "Handed over"
_LANES: Final = 100_000


async def receivers(place: Place, connection: Client) -> Check:
    """Asks the running chain, and the home for its partners."""
    from services.answering import NoAnswerError, QuestionError, ask
    from services.parties import list_parties

    try:
        lanes = (await ask(connection, "handoffs", {"limit": _LANES}, timeout=5))["lanes"]
        partners = await asyncio.to_thread(list_parties, place.home)
    except (NoAnswerError, QuestionError):
        return Check(_NAME, None, "the read models come first")
    except (OSError, ValueError):
        return Check(_NAME, None, "the list of partners comes first")
    if place.url is not None and not partners:
        return Check(_NAME, None, "the partners of this chain are listed in another home")
    return among(lanes, partners)


def among(lanes: Iterable[dict[str, Any]], partners: Collection[str]) -> Check:
    """Whether all to whom something is under way, by ``lanes``, are among ``partners``; those who wait for most first.

    It is nothing that has to be mended: of an old log, hardly anybody is a partner.
    """
    waiting = Counter[str]()
    for lane in lanes:
        waiting[str(lane["to_party"])] += lane["waiting"]
    strangers = [party for party, count in waiting.most_common() if count and party not in partners]
    if not strangers:
        return Check(_NAME, True, "to partners of this chain" if waiting.total() else "nothing is under way")
    first, others = strangers[0], len(strangers) - 1
    whom = f"{first} and {many(others, 'other')}" if others else first
    # In no quotes of ours: it is there to be copied into a shell.
    advice = f"nobody there will see it; to add one: repairchain partner add {shlex.quote(first)}"
    return Check(_NAME, None, f"to {whom}, whom nobody has added: {advice}")
