"""Checks of the chain that runs: its server, its log, its services, its read models."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cli.checks.check import Check
from cli.checks.elsewhere import runs_elsewhere, service_elsewhere
from cli.checks.handover import receivers
from cli.checks.letters import letters
from cli.connecting import Unserved, close, connect
from cli.errors import Problem, one_line
from cli.place import Place, read_object, server_url, settings_of
from cli.render.moments import Moments, parse, span
from cli.render.plain import many
from events import names

if TYPE_CHECKING:
    from nats.aio.client import Client


#: Beyond this the clocks of server and services tell different stories (seconds).
_CLOCK_SLACK: Final = 2.0
#: Programs read what health checks say, too, so they have moments as ISO 8601 does.
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
#: A projector that follows live is never further behind than a moment's worth of facts.
_FAR_BEHIND: Final = 10_000


def checks_there(place: Place) -> list[Check]:
    """All of them; where no chain runs, a look at the file that the last one left."""
    return asyncio.run(_collect(place))


async def _collect(place: Place) -> list[Check]:
    url = server_url(place)
    if url is None:
        return [Check("Server", None, f"none runs on {place.home}; '{place.command} up' starts it"), _file(place)]
    try:
        connection = await connect(place, url)
    except Unserved as reason:
        return [Check("Server", False, str(reason), f"start it again: '{place.command} up'"), _file(place)]
    except Problem as problem:
        return [Check("Server", False, str(problem), "name the right home with --home")]
    try:
        return [check async for check in _of_chain(place, connection, url)]
    finally:
        await close(connection)


async def _of_chain(place: Place, connection: Client, url: str) -> AsyncIterator[Check]:
    trip = await _timed(connection)
    yield Check("Server", True, f"{_version(connection)} at {url}, answers in {trip * 1000:.1f} ms")
    yield await asyncio.to_thread(access, place, url)
    yield await asyncio.to_thread(_durable, place)
    log = await _stream(connection, names.REPAIRS)
    yield await _streams(place, connection)
    yield _clock(log)
    for service in (*names.SERVICES, *asked_for(place)):
        yield await asyncio.to_thread(service_health, place, service)
    yield await _read_models(connection, log)
    yield await _rejected(connection)
    yield await receivers(place, connection)
    yield await _letters(connection)


def _version(connection: Client) -> str:
    version = connection.connected_server_version
    return f"{version.major}.{version.minor}.{version.patch}"


def access(place: Place, url: str) -> Check:
    """That the server is new enough, lets nobody in without a login, and that nobody reads along on the way to it."""
    from services.fitness import UnfitServerError, is_local, require_fit

    name = "Access"
    try:
        found = require_fit(url, settings_of(place).trust)
    except UnfitServerError as error:
        return Check(name, False, one_line(error), "stop the chain until that is mended")
    except (OSError, Problem) as error:
        return Check(name, None, f"the server or the settings come first ({one_line(error)})")
    way = "TLS" if found.tls_required else "this machine only" if is_local(url) else "a plain network of its own"
    return Check(name, True, f"nobody gets in without a login; reached by {way}")


async def _timed(connection: Client) -> float:
    clock = asyncio.get_running_loop().time
    begin = clock()
    await connection.flush()
    return clock() - begin


def _durable(place: Place) -> Check:
    """That an acknowledged fact is on the disk; the server's own monitoring tells."""
    from services.server import ServerError, found_no_room, prove_durable

    name = "Durability"
    monitor = (read_object(place.folder.server_file) or {}).get("monitor_url")
    if place.url is not None or not monitor:
        return Check(
            name,
            None,
            "this server's monitoring is not known here: see that sync_interval is always in its configuration",
        )
    try:
        prove_durable(str(monitor))
    except (ServerError, OSError, ValueError) as error:
        return Check(name, False, one_line(error), f"stop the chain and start it with '{place.command} up'")
    if found_no_room(str(monitor)):
        found = "the disk was full, and the server does not store all that it is given"
        return Check(name, False, found, f"make room: then '{place.command} up' starts the server anew by itself")
    return Check(name, True, "every fact is on the disk before it is acknowledged")


async def _stream(connection: Client, stream: str) -> dict[str, Any]:
    """What the server tells about a stream; the key ``error`` if it cannot."""
    import nats.errors

    try:
        reply = await connection.request(f"$JS.API.STREAM.INFO.{stream}", b"", timeout=5)
        answer = json.loads(reply.data)
    except (nats.errors.Error, ValueError) as error:
        return {"error": {"description": one_line(error)}}
    return answer if isinstance(answer, dict) else {"error": {"description": "an answer that cannot be read"}}


async def _streams(place: Place, connection: Client) -> Check:
    from events.subjects import box_stream
    from services.boxes import boxes
    from services.parties import list_parties

    name = "Streams"
    wanted = [names.REPAIRS, names.REJECTED, *names.INTAKE_STREAMS.values(), f"KV_{names.CUSTOMERS}"]
    infos = {stream: await _stream(connection, stream) for stream in wanted}
    missing = [stream for stream, answer in infos.items() if "error" in answer]
    if missing:
        return Check(name, False, f"missing: {', '.join(missing)}", "start the services, they declare them")
    found_boxes = await boxes(connection.jetstream())
    there = {box.stream for box in found_boxes}
    lacking = [party for party in list_parties(place.home) if box_stream(party) not in there]
    if lacking:
        found = f"there is no box for what {', '.join(lacking[:5])} hands in"
        return Check(name, False, found, "start the services of these roles again: they make them")
    config = infos[names.REPAIRS].get("config", {})
    if not (config.get("deny_delete") and config.get("deny_purge") and config.get("storage") == "file"):
        found = f"{names.REPAIRS} is not as we declare it"
        return Check(name, False, found, "it was made by another program: use a server of its own")
    waiting = sum(infos[stream]["state"]["messages"] for stream in names.INTAKE_STREAMS.values())
    waiting += sum(box.messages for box in found_boxes)
    facts = infos[names.REPAIRS]["state"]["messages"]
    return Check(name, True, f"{many(facts, 'fact')} in the log, {many(waiting, 'submission')} waiting to be taken in")


def _clock(log: dict[str, Any]) -> Check:
    """The server's time beside ours, and that the newest fact does not lie in the future."""
    name, now = "Clock", datetime.now(UTC)
    if "error" in log:
        return Check(name, None, "the log comes first")
    apart = (_moment(log.get("ts")) or now) - now
    last = _moment(log.get("state", {}).get("last_ts"))
    zone = now.astimezone().tzname()
    if abs(apart.total_seconds()) > _CLOCK_SLACK:
        found = f"{span(apart.total_seconds())} apart from the server's"
        return Check(name, False, found, "let both machines keep their time by NTP")
    if last is not None and (last - now).total_seconds() > _CLOCK_SLACK and log["state"].get("messages"):
        found = f"the newest fact was written {span((last - now).total_seconds())} in the future"
        return Check(name, False, found, "the clock was set back: let it keep its time by NTP")
    return Check(name, True, f"{Moments(now).at(now)} {zone}, together with the server's")


def _moment(text: object) -> datetime | None:
    """The server writes nanoseconds, which is more than a datetime holds."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text[:19] + "+00:00")
    except ValueError:
        return None


def asked_for(place: Place) -> tuple[str, ...]:
    """The services that run only where the settings ask for them, and do here."""
    try:
        return (names.HTTP,) if settings_of(place).http_port is not None else ()
    except Problem:  # said by the check of the settings
        return ()


def service_health(place: Place, service: str) -> Check:
    """What a service says of itself, where it has noted its address."""
    from services.health import probe

    noted = read_object(place.folder.service_file(service))
    if noted is None and runs_elsewhere(place):
        return service_elsewhere(service)
    if noted is None:
        advice = f"'{place.command} run {service}' starts it, '{place.command} up' all"
        return Check(service, False, "does not run", advice)
    well, said = probe(f"{noted.get('url')}/readyz")
    told = _told(said, well).removeprefix(f"{service}: ")
    return Check(service, well, told, f"see what it logs; '{place.command} run {service}' starts it again")


def _told(said: str, well: bool) -> str:
    """What a health check said, in a line, with its moments as people write them."""
    try:
        checks: dict[str, dict[str, Any]] = json.loads(said)["checks"]
        told = ", ".join(f"{name}: {check['detail']}" for name, check in checks.items() if well or not check["ok"])
        return _MOMENT.sub(lambda found: _in_words(found[0]), told)
    except (ValueError, KeyError, TypeError, AttributeError):
        return said.strip() or "no answer"


def _in_words(iso: str) -> str:
    moment = parse(iso)
    return Moments(datetime.now(UTC)).both(moment) if moment else iso


async def _read_models(connection: Client, log: dict[str, Any]) -> Check:
    from services.answering import NoAnswerError, QuestionError, ask

    name = "Read models"
    try:
        position = (await ask(connection, "position", timeout=5))["position"]
    except (NoAnswerError, QuestionError) as error:
        return Check(name, False, one_line(error), "'repairchain run projector' starts it")
    behind = max(log.get("state", {}).get("last_seq", position) - position, 0)
    found = f"at position {position:,}, {many(behind, 'fact')} behind the log"
    return Check(name, behind <= _FAR_BEHIND, found, "it is catching up: look again in a minute")


async def _letters(connection: Client) -> Check:
    from services.answering import asker

    return await letters(asker(connection), datetime.now(UTC))


async def _rejected(connection: Client) -> Check:
    from services.rejected import count_apart

    if not (await _stream(connection, names.REJECTED)).get("state", {}).get("messages", 0):
        return Check("Rejected", True, "none")
    counts = await count_apart(connection.jetstream())
    held = f", {counts['held']:,} held for their orders" if counts["held"] else ""
    found = f"{many(counts['rejected'], 'submission') if counts['rejected'] else 'none'}{held}"
    # What is held needs nobody: it comes in by itself, or is rejected once its time is up.
    look = ": see 'repairchain rejected list'" if counts["rejected"] else ""
    return Check("Rejected", None if counts["rejected"] else True, found + look)


def _file(place: Place) -> Check:
    """The DuckDB file, when nobody serves it."""
    from cli.reading import open_file

    name = "Read models"
    if not place.folder.database.is_file():
        return Check(name, None, "none yet; they are made from the log")
    try:
        with open_file(place, "no chain runs") as database:
            return Check(name, True, f"at position {database.position:,}, readable without a chain")
    except Problem as problem:
        return Check(name, False, str(problem))
