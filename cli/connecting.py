"""A connection to the running chain, as the operator or as a partner, for as long as a command needs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cli.errors import Problem, one_line
from cli.place import Place, operator_login, server_url, settings_of

if TYPE_CHECKING:
    from nats.aio.client import Client

#: How long the server may take to let us in (seconds).
CONNECT_TIMEOUT: Final = 3.0

#: Nobody who pressed Ctrl-C waits longer for a connection to end (seconds).
_CLOSE_WITHIN: Final = 2.0


Result = TypeVar("Result")
Work = Callable[["Client"], Awaitable[Result]]


class Unserved(Exception):
    """Nobody answers; the message says what was tried, as the beginning of a sentence."""


def with_chain(
    place: Place,
    work: Work[Result],
    login: dict[str, str] | None = None,
    keep_trying: bool = False,
) -> Result:
    """What ``work`` finds with a connection to the running chain, as the operator or with ``login``.

    Raises Problem if no chain runs, or if it goes away; with ``keep_trying`` a running one may restart meanwhile.
    """
    import asyncio

    url = server_url(place)
    try:
        if url is None:
            raise Unserved(f"no chain runs on {place.home}")
        return asyncio.run(connected(place, url, work, login, keep_trying))
    except Unserved as reason:
        raise Problem(f"{reason}: start it with '{place.command} up'.") from None


async def connected(
    place: Place,
    url: str,
    work: Work[Result],
    login: dict[str, str] | None = None,
    keep_trying: bool = False,
) -> Result:
    """What ``work`` finds, unless the connection ends first: nats-py would let it wait for an answer all the same."""
    import asyncio

    import nats.errors
    import nats.js.errors

    from services.ending import end, look_at_its_end

    gone = asyncio.Event()
    if keep_trying:  # a look whether it is there at all; from then on it is worth waiting for
        await close(await connect(place, url, login))
    connection = await connect(place, url, login, on_close=gone.set, keep_trying=keep_trying)
    working = asyncio.ensure_future(work(connection))
    ending = asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Unserved(f"the chain at {url} went away")
        return working.result()
    except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
        raise Unserved(f"the chain at {url} does not answer ({one_line(error)})") from None
    finally:
        working.add_done_callback(look_at_its_end)
        await end(working, ending)
        await close(connection)


async def connect(
    place: Place,
    url: str,
    login: dict[str, str] | None = None,
    on_close: Callable[[], None] | None = None,
    keep_trying: bool = False,
) -> Client:
    """A connection as the operator, or with ``login``; ``on_close`` is called when it ends, by whoever's doing.

    With ``keep_trying`` it is made again, for a minute, when it breaks. Raises Unserved if nothing listens there,
    Problem if it does not let us in.
    """
    import asyncio

    import nats
    import nats.errors

    async def quiet(_: Exception) -> None:
        """Whatever goes wrong reaches the caller as an exception; nats-py would print it as well."""

    async def closed() -> None:
        if on_close is not None:
            on_close()

    try:
        return await nats.connect(
            url,
            **await asyncio.to_thread(_tls, place, url),
            **(operator_login(place) if login is None else login),
            name="repairchain command line",
            allow_reconnect=keep_trying,
            max_reconnect_attempts=120 if keep_trying else 1,
            reconnect_time_wait=0.5 if keep_trying else 0,
            connect_timeout=CONNECT_TIMEOUT,
            error_cb=quiet,
            closed_cb=closed,
        )
    except (TimeoutError, OSError, nats.errors.NoServersError, nats.errors.TimeoutError):
        raise Unserved(f"nothing answers at {url}") from None
    except nats.errors.Error as error:
        if "authorization" in str(error).lower():
            which = "these credentials" if login is None else "the partner's credentials"
            asks = "is" if login is None else "are they its latest, and is"
            raise Problem(
                f"the server at {url} refuses {which}: {asks} {place.home} the home of the chain there?"
            ) from None
        raise Unserved(f"the server at {url} does not answer ({one_line(error)})") from None


def _tls(place: Place, url: str) -> dict[str, Any]:
    """What a connection to another machine is verified with. Raises Problem where it would be read by others.

    Nobody is on the way to a server on this machine, and its operator has no time to lose.
    """
    from services.fitness import UnfitServerError, is_local, require_fit, tls_of

    if is_local(url) and not url.startswith("tls://"):
        return {}
    try:
        trust = settings_of(place).trust
        require_fit(url, trust)
        context = tls_of(url, trust)
    except UnfitServerError as error:
        raise Problem(f"{one_line(error)}.") from None
    return {} if context is None else {"tls": context}


async def close(connection: Client) -> None:
    """Leave without waiting for a server that may be gone."""
    import asyncio

    import nats.errors

    try:
        async with asyncio.timeout(_CLOSE_WITHIN):
            await connection.close()
    except (nats.errors.Error, OSError, TimeoutError):
        return
