"""Questions and answers over NATS: the JSON on the wire, shared by the projector that answers and those who ask.

Question: ``{"args": {…}, "at_least": position?, "as_of": time?, "known_at": time?}`` to ``chain.query.<name>``.
Answer: ``{"position": n, "result": …}`` or ``{"error": {"title", "detail"}}``; long answers come gzipped, with a header
that says so.
"""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from events import names

ENCODING: Final = "Content-Encoding"
_GZIP_FROM: Final = 64 * 1024

#: How long a service waits for an answer before it asks again (seconds): a projector that is killed takes the questions
#: with it, and nobody tells.
_ANSWERED_WITHIN: Final = 5.0

#: Asks one query: name, arguments, the position that the answer must at least reflect. Returns the result.
Ask = Callable[[str, dict[str, Any], int | None], Awaitable[dict[str, Any]]]


class NoAnswerError(RuntimeError):
    """Nobody answers queries, or not in time; asking again later may help."""


class NobodyAnswersError(NoAnswerError):
    """Nobody is there to answer, or no server to ask."""


class QuestionError(ValueError):
    """The question was answered with an error; the message is the sentence to show."""


class TooLargeError(QuestionError):
    """The answer does not fit into a message: ask for less."""


def query_subject(name: str) -> str:
    """``chain.query.<name>``."""
    return f"{names.QUERY_ROOT}.{name}"


def pack(answer: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    """An answer as bytes and headers."""
    body = orjson.dumps(answer)
    if len(body) < _GZIP_FROM:
        return body, {}
    return gzip.compress(body, compresslevel=3), {ENCODING: "gzip"}


def unpack(message: Msg) -> dict[str, Any]:
    """The answer in a reply. Raises QuestionError for an answer that is an error."""
    body = message.data
    if (message.headers or {}).get(ENCODING) == "gzip":
        body = gzip.decompress(body)
    answer: dict[str, Any] = orjson.loads(body)
    if "error" in answer:
        title = answer["error"].get("title")
        kind = TooLargeError if title == "TooLarge" else QuestionError
        raise kind(answer["error"].get("detail") or title or "the query failed")
    return answer


async def ask(
    connection: Client,
    name: str,
    args: Mapping[str, Any] | None = None,
    *,
    at_least: int | None = None,
    as_of: str | None = None,
    known_at: str | None = None,
    timeout: float = 30.0,
) -> dict[str, Any]:
    """Ask the projector; the result of the query. Raises NoAnswerError or QuestionError."""
    question = {"args": dict(args or {}), "at_least": at_least, "as_of": as_of, "known_at": known_at}
    body = orjson.dumps({key: value for key, value in question.items() if value is not None})
    try:
        reply = await connection.request(query_subject(name), body, timeout=timeout)
    except nats.errors.NoRespondersError:
        raise NobodyAnswersError("the projector does not run") from None
    except (nats.errors.TimeoutError, TimeoutError):
        raise NoAnswerError(f"the projector did not answer '{name}' within {timeout:g} s") from None
    except nats.errors.Error as error:
        raise NobodyAnswersError(f"the server cannot be reached: {error}") from None
    result: dict[str, Any] = unpack(reply)["result"]
    return result


def asker(connection: Client) -> Ask:
    """``ask`` bound to a connection, for those who take the way of asking as an argument."""

    async def bound(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        return await ask(connection, name, args, at_least=at_least, timeout=_ANSWERED_WITHIN)

    return bound
