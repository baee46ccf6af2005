"""up, run, demo: the chain at work."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.errors import Problem, one_line, unforeseen
from cli.options import place_of
from cli.output import console
from cli.place import Place, http_url, server_url, settings_of
from events.names import ALL_SERVICES, SERVICES


def up(
    ctx: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, max=65_535, help="Port of the server, 4222 unless set otherwise; 0 takes a free one."
        ),
    ] = None,
) -> None:
    """Run the whole chain here until Ctrl-C: the server and all services."""
    import asyncio

    from services.server import ServerError
    from services.settings import SettingsError
    from services.supervisor import CannotRunError
    from services.supervisor import up as run_all

    place = place_of(ctx)
    settings = settings_of(place, nats_port=port)
    was_there = place.home.exists()

    def left() -> str:
        """Of a home that was made for nothing: whoever mistyped something else looks for it there next time."""
        return "" if was_there or not place.home.exists() else f" (the new home {place.home} is kept)"

    try:
        asyncio.run(run_all(settings, say=Narrator(place)))
    except (ServerError, SettingsError, CannotRunError) as error:
        raise Problem(f"{one_line(error)}{left()}.") from None
    except OSError as error:
        raise Problem(f"the chain cannot run on {place.home} ({one_line(error)}){left()}.") from None


class Narrator:
    """Prints what the supervisor tells, and how to go on once everything is ready."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._waiting_for = set(SERVICES)

    def __call__(self, line: str) -> None:
        name, _, what = line.partition(" ")
        print(line, flush=True)
        if what.strip() == "ready" and name in self._waiting_for:
            self._waiting_for.discard(name)
            if not self._waiting_for:
                self._go_on()

    def _go_on(self) -> None:
        self._renew_pages()
        out = console()
        out.print(f"\nThe chain runs on {self._place.home}; Ctrl-C stops it. In another terminal:", soft_wrap=True)
        for what in ("partner add retailer:juno", "watch", "doctor"):
            out.print(f"  {self._place.command} {what}", soft_wrap=True)
        out.print("")
        out.file.flush()

    def _renew_pages(self) -> None:
        from services.welcome import renew_welcomes

        try:
            renewed = renew_welcomes(self._place.home, server_url(self._place), http_url(self._place))
        except (OSError, ValueError) as error:  # the chain runs all the same
            print(f"{'welcome':<10} the pages for partners were not written anew ({one_line(error)})", flush=True)
            return
        for party in renewed:
            print(f"{'welcome':<10} the page of {party} says anew where the chain is", flush=True)


def run(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help=f"One of {', '.join(ALL_SERVICES)}.")],
    narrated: Annotated[bool, typer.Option("--narrated", hidden=True, help="'up' says that it is ready.")] = False,
) -> None:
    """Run one service against a running server.

    Until a signal comes; for containers, and for 'up' itself. Exit code 1 if it failed in a way that may pass: because
    the disk is full, say.
    """
    if service not in ALL_SERVICES:
        raise Problem(f"there is no service '{service}': there are {', '.join(ALL_SERVICES)}.")
    from services.running import run_service

    settings = settings_of(place_of(ctx))
    try:
        run_service(service, settings, narrated=narrated)
    except _what_keeps_it_from_running() as error:
        raise Problem(f"{service} cannot run: {one_line(error)}.") from None
    except Exception as error:
        if ctx.find_root().params["traceback"]:
            raise
        raise Problem(unforeseen(error), exit_code=1) from None


def _what_keeps_it_from_running() -> tuple[type[Exception], ...]:
    """Errors of all services. Asked for only once there is one: to import them takes longer than to start most."""
    import nats.errors

    from events.streams import NoRoomError, StreamMismatchError
    from projections.schema import DatabaseError
    from services.credentials import CredentialError
    from services.delivery import DeliveryError
    from services.fitness import UnfitServerError
    from services.health import HealthPortError
    from services.running import ConsumerGoneError
    from services.settings import SettingsError

    return (
        SettingsError,
        CredentialError,
        UnfitServerError,
        DeliveryError,
        HealthPortError,
        DatabaseError,
        StreamMismatchError,
        NoRoomError,
        ConsumerGoneError,
        nats.errors.Error,
    )
