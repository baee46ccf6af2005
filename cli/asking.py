"""Asks the chain: over NATS while it runs, and its DuckDB file itself when nothing serves it.

A process that owns the DuckDB file keeps all others out, so the running chain is asked first, and for that nothing
heavier than nats is imported.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cli.connecting import Unserved, connected
from cli.errors import Problem, Refused, one_line
from cli.place import Place, server_url
from cli.workdays import add_working_days

if TYPE_CHECKING:
    from nats.aio.client import Client

#: How long a query may take to be answered (seconds).
ANSWER_TIMEOUT: Final = 60.0

#: Who waits for longer than that looks so often whether there is anybody left to answer (seconds).
_LOOK_EVERY: Final = 0.5

#: What was mistyped is compared with so many orders, open ones that moved last before others.
_LATEST: Final = 1_000

Args = dict[str, Any]
Result = TypeVar("Result")
#: Adds to a result what another question answers.
More = Callable[["Client", dict[str, Any]], Awaitable[None]]


def ask(
    place: Place,
    name: str,
    args: Args | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    more: More | None = None,
) -> dict[str, Any]:
    """The result of the query ``name``, from whoever can answer it. Raises Problem when nobody can.

    ``more`` adds what only a running chain knows, where one runs and is not asked about another moment. Where there is
    no such order, the problem says which may be meant.
    """
    given = {key: value for key, value in (args or {}).items() if value is not None}
    check_text(given)
    try:
        return _ask_either(place, name, given, as_of, known_at, more)
    except Refused as refused:
        order = given.get("order")
        hint = hint_for(place, order) if isinstance(order, str) else None
        if hint is None and isinstance(order, str) and (as_of or known_at):
            hint = _not_yet(place, order, as_of, known_at)
        elif hint is None:  # it may have come a moment ago
            return _ask_either(place, name, given, as_of, known_at, more)
        if hint is None:
            raise
        raise Problem(f"{str(refused).removesuffix('.')}: {hint}") from None


def check_text(given: Args) -> None:
    """Raise Problem for what was typed in another encoding than ours: it cannot be asked for, nor is there any such."""
    for value in given.values():
        if isinstance(value, str) and not _is_text(value):
            raise Problem(f"'{value}' is no text in UTF-8, as all that is kept here is: see how your terminal writes.")


def _is_text(value: str) -> bool:
    """Whether it can be written in UTF-8: a byte that was none comes as half of a pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def hint_for(place: Place, order: str) -> str | None:
    """Which order may be meant by ``order``, the end of a sentence; None where there is one that is called so."""
    from cli.nearest import hint_for_order

    try:
        if _ask_either(place, "find", {"order": order})["orders"]:
            return None
        orders = _ask_either(place, "orders", {"limit": _LATEST})["orders"]
        return None if any(row["order_id"] == order for row in orders) else hint_for_order(order, orders)
    except Problem:  # the question itself got an answer, which is what matters
        return None


def _not_yet(place: Place, order: str, as_of: datetime | None, known_at: datetime | None) -> str | None:
    """From when on there is ``order``, where one asks of a moment before; the end of a sentence."""
    from cli.render.moments import Moments, parse

    try:
        opened = parse(_ask_either(place, "status", {"order": order}).get("opened_at"))
    except Problem:
        return None
    if opened is None or (as_of is not None and as_of >= opened):
        return None
    if as_of is None:
        return "nothing of it was known yet." if known_at is not None else None
    return f"it was opened on {Moments(datetime.now(UTC)).at(opened)}."


def _ask_either(
    place: Place,
    name: str,
    given: Args,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    more: More | None = None,
) -> dict[str, Any]:
    try:
        return ask_server(place, name, given, as_of, known_at, more=None if as_of or known_at else more)
    except Unserved as reason:
        from cli.reading import ask_file

        return ask_file(place, name, given, as_of, known_at, str(reason))


def ask_server(
    place: Place,
    name: str,
    args: Args,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    timeout: float = ANSWER_TIMEOUT,
    more: More | None = None,
) -> dict[str, Any]:
    """The result of the query ``name`` from the running chain. Raises Unserved if it does not answer."""
    import asyncio

    url = server_url(place)
    if url is None:
        raise Unserved(f"no chain runs on {place.home}")
    return asyncio.run(_ask(place, url, name, args, _iso(as_of), _iso(known_at), timeout, more))


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


async def _ask(
    place: Place,
    url: str,
    name: str,
    args: Args,
    as_of: str | None,
    known_at: str | None,
    timeout: float,
    more: More | None,
) -> dict[str, Any]:
    from services.answering import NoAnswerError, QuestionError
    from services.answering import ask as ask_projector

    async def question(connection: Client) -> dict[str, Any]:
        asking = ask_projector(connection, name, args, as_of=as_of, known_at=known_at, timeout=timeout)
        result = await (asking if timeout <= ANSWER_TIMEOUT else _unless_it_ends(place, asking))
        await add_working_days(connection, result, as_of, known_at)
        if more is not None:
            await more(connection, result)
        return result

    try:
        return await connected(place, url, question)
    except QuestionError as error:
        raise Refused(f"{one_line(error)}.") from None
    except NoAnswerError as error:
        raise Unserved(f"the server at {url} runs, but {one_line(error)}") from None
    except (LookupError, TypeError, ValueError, EOFError):
        raise Problem(f"the answer from {url} cannot be read: is the chain there of this version?") from None


async def _unless_it_ends(place: Place, asking: Coroutine[Any, Any, Result]) -> Result:
    """The answer, however long it takes. Raises Problem when the projector ends, for nobody else will ever answer."""
    import asyncio

    from services.ending import look_at_its_end

    file = place.folder.service_file("projector")
    before, answer = _noted(file), asyncio.ensure_future(asking)
    answer.add_done_callback(look_at_its_end)
    try:
        while not answer.done():
            await asyncio.wait({answer}, timeout=_LOOK_EVERY)
            if not answer.done() and _noted(file) != before:
                raise Problem("the projector ended before it had answered: do it again once it runs.")
        return answer.result()
    finally:
        answer.cancel()


def _noted(file: Path) -> str | None:
    """By what one that runs is told from the one before it."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return None
