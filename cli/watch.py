"""watch: facts as they come, straight from the log."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.connecting import Unserved, close, connect
from cli.errors import Problem
from cli.options import place_of
from cli.output import console, moments_now
from cli.place import Place, server_url

if TYPE_CHECKING:
    import asyncio

Printer = Callable[[int, bytes], None]


def watch(
    ctx: typer.Context,
    start: Annotated[
        int | None,
        typer.Option("--from", metavar="POSITION", min=1, help="Begin there; by default with what comes from now on."),
    ] = None,
    count: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Stop after so many facts; by default at Ctrl-C.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document per line.")] = False,
) -> None:
    """Follow the log live, a line a fact, until Ctrl-C.

    It begins with what comes from now on, and says from which position on it waits.
    """
    import asyncio

    place = place_of(ctx)
    url = server_url(place)
    if url is None:
        raise Problem(f"no chain runs on {place.home}: start one with '{place.command} up'.")
    try:
        asyncio.run(_follow(place, url, start, count, _as_json if as_json else _as_text))
    except Unserved as reason:
        raise Problem(f"{reason}: start the chain with '{place.command} up'.") from None


async def _follow(place: Place, url: str, start: int | None, count: int | None, print_fact: Printer) -> None:
    import asyncio

    from nats.errors import Error

    from events.log import last_position
    from events.tail import Tail

    gone = asyncio.Event()
    connection = await connect(place, url, on_close=gone.set)
    try:
        js = connection.jetstream()
        last = await last_position(js)
        after = last if start is None else start - 1
        if after >= last and print_fact is _as_text:
            # On stderr: what reads the facts out of a pipe is not to take it for one.
            print(f"Waiting for what comes after position {after:,}; Ctrl-C ends it.", file=sys.stderr, flush=True)
        async with Tail(js, after=after) as tail:
            while batch := await _next(tail, gone):
                for position, payload in batch:
                    print_fact(position, payload)
                    if count is not None and (count := count - 1) == 0:
                        return
    except Error as error:
        raise Unserved(f"the log at {url} cannot be read ({type(error).__name__})") from None
    finally:
        await close(connection)
    raise Problem(f"the chain at {url} has stopped.")


async def _next(tail: Any, gone: asyncio.Event) -> list[tuple[int, bytes]]:
    """The next facts; nothing once the server is gone."""
    import asyncio

    stopped = asyncio.create_task(gone.wait())
    coming: asyncio.Task[list[tuple[int, bytes]]] | None = None
    try:
        while not gone.is_set():
            coming = asyncio.create_task(tail.next_batch())
            await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
            elif batch := coming.result():
                return list(batch)
    finally:
        stopped.cancel()
        if coming is not None:  # else it would go on reading from a connection that is closed meanwhile
            coming.cancel()
    return []


def _as_text(position: int, payload: bytes) -> None:
    from cli.render.facts import fact_line

    console().print(fact_line(position, payload, moments_now()))


def _as_json(position: int, payload: bytes) -> None:
    from cli.render.facts import read

    envelope = read(payload)
    shown = {"unreadable": payload.decode("utf-8", "replace")} if envelope is None else envelope
    print(json.dumps({"position": position, "event": shown}), flush=True)
