"""The desk as a service: takes questions and words on ``chain.desk.<verb>``, and answers each.

It works in the notifier's process, because none but that and intake may see customers' names and addresses. One
question is worked on at a time, so two repeats of one word are told apart. Nothing of what it is given is logged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import nats.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from events import names
from events.clock import Clock
from services.answering import Ask, NoAnswerError, QuestionError, pack
from services.connecting import while_there
from services.desk.asking import TROUBLE
from services.desk.book import Book, ForgottenError
from services.desk.correspondence import Correspondence
from services.desk.customers import Customers
from services.desk.forgetting import Forgetting
from services.desk.problems import DeskError
from services.desk.record import told
from services.stopping import AT_HAND

_FORGOTTEN: Final = (
    "she was forgotten, and nothing is written about her any more: open her next order under a new number"
)

#: A letter that was being written while she was forgotten lies there by then (seconds).
_LOOK_AGAIN: Final = 30.0

_log = structlog.get_logger("desk")


class Desk:
    """``await start()``, then it answers until ``await stop()``.

    ``letters`` are folders in which letters lie; after a customer was forgotten they are looked through once more,
    ``look_again`` seconds later. ``serves`` says of a kind of channel whether a service is set for it.
    """

    def __init__(
        self,
        connection: Client,
        ask: Ask,
        clock: Clock,
        letters: Sequence[Path] = (),
        serves: Callable[[str], bool] = lambda kind: True,
        look_again: float = _LOOK_AGAIN,
    ) -> None:
        js = connection.jetstream()
        self._connection = connection
        self._book = Book(js)
        self._forgetting = Forgetting(js, ask, clock, self._book, letters, look_again)
        self.customers = Customers(js, ask, clock, self._book, self._forgetting, serves)
        correspondence = Correspondence(js, ask, clock, self._book)
        self._verbs: Mapping[str, Callable[[Any], Awaitable[dict[str, Any]]]] = {
            "reply": correspondence.reply,
            "show": self.customers.show,
            "set": self.customers.set,
            "silence": self.customers.silence,
            "export": self.customers.export,
            "who": self.customers.who,
            "forget": self.customers.forget,
            "forgotten": self.customers.forgotten,
            "waits": correspondence.waits,
            "settle": correspondence.settle,
            "bounced": correspondence.bounced,
            "find": self.customers.find,
        }

    async def start(self) -> None:
        """Open the book and take questions. The streams are there: whoever runs beside it has declared them."""
        await self._book.open()
        await self._forgetting.open()
        self._subscription = await self._connection.subscribe(f"{names.DESK_ROOT}.*", queue="desk", cb=self._take)
        await self._connection.flush()
        self._forgetting.start()

    async def stop(self) -> None:
        """Finish what is at hand, and take no more. Who hears nothing in time asks again."""
        self._forgetting.leave()
        with suppress(nats.errors.Error, TimeoutError):
            await while_there(self._connection, AT_HAND, self._finish())
        await self._forgetting.stop()

    async def _finish(self) -> None:
        await self._forgetting.at_rest()
        await self._subscription.drain()  # type: ignore[no-untyped-call]  # nats-py is typed in parts

    async def _take(self, message: Msg) -> None:
        body, headers = pack(await self._answer(message))
        with suppress(nats.errors.Error):  # whoever asked has gone
            await self._connection.publish(message.reply, body, headers=headers)

    async def _answer(self, message: Msg) -> dict[str, Any]:
        verb = message.subject.rpartition(".")[2]
        handler = self._verbs.get(verb)
        if handler is None:
            return _refused(f"the desk knows no '{verb}': it knows {', '.join(self._verbs)}")
        try:
            return {"result": await handler(orjson.loads(message.data))}
        except ValidationError as error:
            return _refused(told(error))
        except orjson.JSONDecodeError:
            return _refused("the question is not JSON")
        except ForgottenError:
            return _refused(_FORGOTTEN)
        except (DeskError, QuestionError) as error:
            return _refused(str(error))
        except NoAnswerError as error:
            return _refused(f"{error}: try again in a moment", again=True)
        except TROUBLE as error:
            return _refused(f"the server did not answer ({type(error).__name__}): try again in a moment", again=True)
        except Exception as error:  # noqa: BLE001 - one question that brings a fault of ours to light stops no other
            # Not the text of the error: it may repeat what was said.
            _log.error("a fault", verb=verb, error=type(error).__name__)
            return _refused(f"the desk failed on this ({type(error).__name__})")


def _refused(detail: str, *, again: bool = False) -> dict[str, Any]:
    return {"error": {"title": "The desk cannot do that", "detail": detail, "again": again}}
