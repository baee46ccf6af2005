"""A partner's client on asyncio: publishes events, and waits for the receipt of each."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from events.envelope import CONTENT_TYPE, MAX_BYTES
from events.facet import Fact
from events.subjects import intake_subject, notices_subject, orders_subject, receipts_subject
from services.answering import ENCODING
from services.client.building import Said, build_event
from services.client.errors import LoginRefusedError, NoReceiptError, NotShownError, PartnerError, RejectedError
from services.client.feed import Feed
from services.client.login import PartnerLogin, read_login
from services.client.pending import Pending
from services.ending import end, look_at_its_end
from services.notices import DailyList, Notice
from services.submission import Receipt

_HEADERS: Final = {"Content-Type": CONTENT_TYPE}

_CONNECT_WITHIN: Final = 5.0  # seconds for one attempt to connect
_ACKNOWLEDGED_WITHIN: Final = 5.0  # seconds for the server to say that it has an event
_FIRST_PAUSE: Final = 0.1  # seconds before an event is handed in again that the server did not take; doubled …
_LONGEST_PAUSE: Final = 5.0  # … up to this
_LONGEST_WAIT: Final = 30.0  # seconds for a receipt before the event is handed in again, once others were missed

_log = structlog.get_logger("partner")


class _NotTakenError(Exception):
    """The server answered that it does not take the event now, because its store is full, say."""


class AsyncPartner:
    """One partner's connection: ``async with AsyncPartner(url, credentials) as partner``.

    ``credentials`` is the file that the partner was handed, read anew whenever the server asks who it is, or its
    content. ``ca`` is a file of certificates that the server's is checked against, where the system's own do not do.
    ``timeout`` is how long one ``publish`` may take altogether, ``receipt_within`` how long a receipt is waited for
    before the event is handed in again (both in seconds). Entering it connects: it raises LoginRefusedError,
    PartnerError if no server answers, and ValueError or OSError for credentials that cannot be read.
    """

    def __init__(
        self,
        url: str,
        credentials: str | Path | Mapping[str, Any],
        *,
        party: str | None = None,
        ca: str | Path | None = None,
        timeout: float = 60.0,
        receipt_within: float = 5.0,
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._named = party
        self._ca = ca
        self._timeout = timeout
        self._receipt_within = receipt_within
        self._connection: Client | None = None
        self._opening = asyncio.Lock()
        self._refused = asyncio.Event()
        self._renewed = asyncio.Event()  # set when the connection that is in use now was lost and is there again
        self._closed = False
        self._trouble: str | None = None
        self._pending: set[Pending] = set()
        self._receipts: set[Feed[Receipt]] = set()
        self._notices: set[Feed[Notice | DailyList]] = set()
        self._login: PartnerLogin | None = None

    # -- life ---------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._connected()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect. What is being published then is left without its receipt."""
        self._closed = True
        for receipts in tuple(self._receipts):
            receipts.end()
        for notices in tuple(self._notices):
            notices.end()
        await self._drop()

    @property
    def party(self) -> str:
        """Who this is: ``retailer:juno``. Raises PartnerError before the first connection."""
        if self._login is None:
            raise PartnerError("not connected yet")
        return self._login.party

    # -- publishing ---------------------------------------------------------------------------------------------------

    async def publish(
        self,
        said: Said,
        data: Mapping[str, Any] | Fact | None = None,
        *,
        order: str | None = None,
        id: str | None = None,
        time: datetime | None = None,
        timeout: float | None = None,
    ) -> Receipt:
        """Hand in one event and return its receipt: accepted, duplicate, or held until its order is known.

        ``said`` is a whole CloudEvent, a fact of the vocabulary, or a fact's name with its ``data``; what the envelope
        lacks is made up (a new id, the present time). With an ``id`` of your own, the number of the row in your system
        say, you can publish again after a crash and nothing is said twice. Until the receipt comes, the event is handed
        in again with that same id, after a timeout or a lost connection, with growing pauses; ``duplicate`` is then as
        good as accepted. Raises RejectedError with the problem, NoReceiptError when ``timeout`` is over,
        LoginRefusedError, and ValueError for what is no event at all.
        """
        if self._closed:
            raise PartnerError("this partner's connection was closed")
        event = build_event(said, data, party=self.party, order=order, id=id, time=time)
        body = json.dumps(event, ensure_ascii=False, allow_nan=False).encode()
        if len(body) > MAX_BYTES:
            raise ValueError(f"'{event['id']}' is {len(body)} bytes long: an event has at most {MAX_BYTES}")
        pending = Pending(event["id"])
        self._pending.add(pending)
        seconds = self._timeout if timeout is None else timeout
        self._trouble = None
        try:
            async with asyncio.timeout(seconds):
                receipt = await self._until_answered(pending, body)
        except TimeoutError:
            raise NoReceiptError(event, seconds, self._trouble) from None
        finally:
            self._pending.discard(pending)
        if receipt.outcome == "rejected":
            raise RejectedError(receipt, event)
        return receipt

    async def _until_answered(self, pending: Pending, body: bytes) -> Receipt:
        pause, patience = _FIRST_PAUSE, self._receipt_within
        while True:
            try:
                pending.acknowledged(await self._hand_in(body))
            except LoginRefusedError:
                raise
            except (nats.errors.Error, OSError, TimeoutError, PartnerError, _NotTakenError) as error:
                if not isinstance(error, _NotTakenError | PartnerError):  # it may have got there all the same
                    pending.unsure()
                self._trouble = str(error) or self._trouble or "the server does not answer"
                # Not all in the same moment: many wait for the same server.
                receipt = await pending.answered(pause * random.uniform(0.5, 1.5))  # noqa: S311 - nothing secret
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                receipt = await pending.answered(patience)
                if receipt is None:
                    self._trouble = "the server has the event, but no receipt came"
                    patience = min(2 * patience, max(_LONGEST_WAIT, patience))
            if receipt is not None:
                return receipt

    async def _hand_in(self, body: bytes) -> int:
        """The event's place in the intake stream: from here on it is safe."""
        connection = await self._connected()
        subject = intake_subject(self.party)
        asking = asyncio.ensure_future(
            connection.request(subject, body, timeout=_ACKNOWLEDGED_WITHIN, headers=dict(_HEADERS))
        )
        renewed, refused = (asyncio.ensure_future(event.wait()) for event in (self._renewed, self._refused))
        try:
            await asyncio.wait({asking, renewed, refused}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise ConnectionResetError("the connection was lost before the server answered")
            said = json.loads(asking.result().data)
        finally:
            for task in (asking, renewed, refused):
                task.cancel()
        if "error" in said:
            raise _NotTakenError(f"the server does not take it now: {said['error'].get('description', said['error'])}")
        return int(said["seq"])

    # -- listening ----------------------------------------------------------------------------------------------------

    def receipts(self, timeout: float | None = None) -> Feed[Receipt]:
        """Every receipt of this partner from now on, also of what other programs publish for it.

        Among them those of events that were held, once they are taken in. It ends ``timeout`` seconds after the last.
        """
        feed: Feed[Receipt] = Feed(self._connected, self._receipts.discard, timeout)
        self._receipts.add(feed)
        return feed

    def notices(self, timeout: float | None = None) -> Feed[Notice | DailyList]:
        """From now on, every notice that somebody waits for this partner, and its daily list."""
        feed: Feed[Notice | DailyList] = Feed(self._connected, self._notices.discard, timeout)
        self._notices.add(feed)
        return feed

    # -- asking -------------------------------------------------------------------------------------------------------

    async def timeline(self, order: str, *, timeout: float = 30.0) -> dict[str, Any]:
        """The story of an order that this partner has a part in, by whatever name: ``order``, ``entries``, ``handoffs``
        and ``commitments``, with ``messages`` and ``contacts`` for whoever faces the customer (docs/json.md).

        ``timeout`` is in seconds. Raises NotShownError with the problem, PartnerError if nobody answers in time.
        """
        return await self._asked({"order": order}, timeout)

    async def changed(self, after: int = 0, *, limit: int = 100, timeout: float = 30.0) -> dict[str, Any]:
        """Which orders that this partner has a part in have changed after a position of the log.

        ``orders`` has each with the ``position`` of the last that was said of it; go on from ``cursor``, at once if
        there is ``more``. Raises as ``timeline`` does.
        """
        return await self._asked({"changed_after": after, "limit": limit}, timeout)

    async def _asked(self, question: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        connection = await self._connected()
        try:
            reply = await connection.request(orders_subject(self.party), json.dumps(question).encode(), timeout=timeout)
        except nats.errors.NoRespondersError:
            raise PartnerError("the chain answers no questions at the moment: ask again later") from None
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise PartnerError(f"no answer came within {timeout:g} s ({str(error) or 'none'}): ask again") from None
        packed = (reply.headers or {}).get(ENCODING) == "gzip"
        answer: dict[str, Any] = json.loads(gzip.decompress(reply.data) if packed else reply.data)
        if isinstance(answer.get("status"), int):
            raise NotShownError(answer)
        return answer

    async def _hear_receipts(self, message: Msg) -> None:
        for raw in json.loads(message.data)["receipts"]:
            receipt = Receipt.from_json(raw)
            for pending in tuple(self._pending):
                pending.hear(receipt)
            for feed in tuple(self._receipts):
                feed.put(receipt)

    async def _hear_notices(self, message: Msg) -> None:
        try:
            said = json.loads(message.data)
            model = DailyList if said.get("notice") == "daily.list" else Notice
            notice: Notice | DailyList = model.model_validate(said)
        except (ValueError, ValidationError) as error:  # of a newer chain
            _log.debug("a notice cannot be read", error=repr(error))
            return
        for feed in tuple(self._notices):
            feed.put(notice)

    # -- the connection -----------------------------------------------------------------------------------------------

    async def _connected(self) -> Client:
        """The connection; a new one, with the credentials read anew, where the server ended the last."""
        async with self._opening:
            if self._closed:
                raise PartnerError("this partner's connection was closed")
            if self._connection is not None and (self._connection.is_closed or self._refused.is_set()):
                await self._drop()
            if self._connection is None:
                self._connection = await self._open()
            return self._connection

    async def _open(self) -> Client:
        # Files, and a handful of lines: no reason to leave the event loop for it.
        login = read_login(self._credentials, self._named)
        refused = asyncio.Event()
        tls = ssl.create_default_context(cafile=self._ca) if self._ca is not None else None
        connecting = asyncio.ensure_future(
            nats.connect(
                self._url,
                **login.options,
                tls=tls,
                name=f"repairchain partner {login.party}",
                connect_timeout=_CONNECT_WITHIN,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.2,
                error_cb=partial(self._note, refused),
                reconnected_cb=self._reconnected,
            )
        )
        refusal = asyncio.ensure_future(refused.wait())
        try:
            await asyncio.wait({connecting, refusal}, timeout=_CONNECT_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            if refused.is_set():
                raise LoginRefusedError(
                    f"the server at {self._url} does not let {login.party} in with these credentials"
                )
            if not connecting.done():
                raise PartnerError(f"no server answers at {self._url} ({self._trouble or 'no connection'})")
            connection = connecting.result()
        finally:
            connecting.add_done_callback(look_at_its_end)
            await end(connecting, refusal)
        self._login, self._refused = login, refused
        try:
            await connection.subscribe(receipts_subject(login.party), cb=self._hear_receipts)
            await connection.subscribe(notices_subject(login.party), cb=self._hear_notices)
            await connection.flush()
        except BaseException as error:
            await _leave(connection)  # nobody else knows of it, and by itself it would go on for ever
            if isinstance(error, nats.errors.Error):
                raise PartnerError(f"the server at {self._url} went away ({str(error) or 'no answer'})") from None
            raise
        return connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await _leave(connection)

    async def _reconnected(self) -> None:
        """Receipts may have come while nobody was there to hear them; nobody keeps them."""
        renewed, self._renewed = self._renewed, asyncio.Event()
        renewed.set()
        for pending in tuple(self._pending):
            pending.stir()

    async def _note(self, refused: asyncio.Event, error: Exception) -> None:
        """For nats-py, which tells what went wrong in the background, and gives up on nothing by itself."""
        self._trouble = str(error) or type(error).__name__
        said = self._trouble.lower()
        # A timeout of either is a server that has no time, not one that says no.
        if "timeout" not in said and ("authorization" in said or "authentication" in said):
            refused.set()


async def _leave(connection: Client) -> None:
    with suppress(Exception):  # a server that is gone is left in any case
        await connection.close()
