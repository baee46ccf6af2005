"""demo: the watch story through the real services, on a clock that runs through six weeks in seconds."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import Problem, one_line
from cli.options import place_of
from cli.output import console
from cli.place import Place, settings_of
from cli.render.moments import Moments
from cli.storyteller import Storyteller

_FOLDER = "demo"
#: A reader's pace, between two things to read (seconds).
_PACE = 0.7


def demo(
    ctx: typer.Context,
    language: Annotated[
        str, typer.Option(metavar="en|nl", help="The language in which the customer is written to.")
    ] = "en",
    pace: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, max=10, help="Between two steps; 0 to tell it at once.")
    ] = None,
) -> None:
    """Play the watch story: real services, real messages, six weeks in less than a minute.

    Its home is the folder demo within the home, which is made anew each time.
    """
    import asyncio

    from services.server import ServerError
    from services.settings import SettingsError
    from services.simulation import SimulationError

    if language not in ("en", "nl"):
        raise Problem(f"the customer is written to in en or nl, not in '{language}'.")
    place = place_of(ctx)
    home = place.home / _FOLDER
    _clear(home)
    seconds = pace if pace is not None else (_PACE if sys.stdout.isatty() else 0.0)
    try:
        asyncio.run(_play(Place(home), language, seconds))
    except (ServerError, SettingsError, SimulationError) as error:
        raise Problem(f"the demo cannot run ({one_line(error)}).") from None
    except OSError as error:
        raise Problem(f"the demo cannot run on {home} ({one_line(error)}).") from None


def _clear(home: Path) -> None:
    """Remove what the last demo left; a folder that is none of ours is never touched."""
    from services.home import HomeFolder

    if not home.exists():
        return
    folder = HomeFolder(home)
    if not folder.parties_file.exists():
        raise Problem(f"{home} is not the home of a demo: move it away, or choose another --home.")
    if folder.in_use():
        raise Problem(f"a demo runs on {home}: wait until it has ended.")
    shutil.rmtree(home)


async def _play(place: Place, language: str, pace: float) -> None:
    from services.logs import configure_logs
    from services.simulation import simulate
    from services.story import AMSTERDAM, BEGIN, CARDS, END, ORDER, watch_story

    configure_logs("demo", level="error")
    settings = settings_of(place, nats_port=0, email_url="outbox://", channels={}, daily_list=False)
    async with simulate(settings, BEGIN, CARDS) as chain:
        teller = Storyteller(chain, console(), pace, Moments(BEGIN, AMSTERDAM), ORDER)
        await teller.introduce()
        for step in watch_story(language):
            await chain.advance(step.at)
            await teller.tell_what_happened(step.at)
            await teller.tell_step(step.at, step.story)
            receipt = await chain.say(step.as_event())
            if receipt["outcome"] != "accepted":
                raise Problem(
                    f"{step.name} was not taken in: {receipt.get('problem', {}).get('detail', receipt['outcome'])}."
                )
            await teller.tell_what_happened(step.at)
        await chain.advance(END)
        await teller.tell_what_happened(END)
        await teller.conclude(END)
