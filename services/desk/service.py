"""The desk as a service: takes questions and words on ``chain.desk.<verb>``, and answers each.

It works in the notifier's process, because none but that and intake may see customers' names and addresses. One
question is worked on at a time, so two repeats of one word are told apart. Nothing of what it is given is logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import nats.errors
import nats.js.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from pydantic import ValidationError

from events import log, names
from events.clock import Clock
from events.subjects import customer_key
from services.answering import Ask, NoAnswerError, QuestionError, pack
from services.connecting import while_there
from services.contact import Contact
from services.desk.awaiting import Awaited, histories_of, waits
from services.desk.book import Book, Entry, ForgottenError
from services.desk.bouncing import Bounced, decide_bounce
from services.desk.finding import Sought, find_by_name
from services.desk.forgetting import Traces, erase_expired, erase_letters, erase_rejected, rejected_of
from services.desk.knowing import near
from services.desk.mail_text import without_quotes
from services.desk.problems import DeskError
from services.desk.record import (
    Changes,
    Customer,
    Forgotten,
    Named,
    Several,
    Unwanted,
    as_document,
    changed,
    customer_of,
    find_customer,
    is_hers,
    told,
    unknown,
)
from services.desk.redacting import redacted
from services.desk.saying import Reply, decide_reply
from services.desk.settling import Settled, decide_settlement
from services.desk.unfinished import Begun, Unfinished
from services.ending import end
from services.notifying.history import History
from services.rejected import as_json
from services.stopping import AT_HAND

#: Of what was rejected, an answer holds at most so many.
_MOST_REJECTED: Final = 20

_FORGOTTEN: Final = (
    "she was forgotten, and nothing is written about her any more: open her next order under a new number"
)

_NOT_HER_ADDRESS: Final = (
    "a letter asks to write no more about {}, and comes from an address that is not held for its customer. Nothing was "
    "changed: our letters are stopped from the address at which they come"
)

#: "Stop" is for good.
_FOR_GOOD: Final = timedelta(days=36_500)

#: A letter that was being written while she was forgotten lies there by then (seconds).
_LOOK_AGAIN: Final = 30.0

#: What could not be carried on with is tried again after so long (seconds).
_TRY_AGAIN: Final = 5.0

#: What was rejected long ago is looked for so often (seconds).
_EXPIRE_EVERY: Final = 3600.0

#: So often a query is asked before we say that nobody answers.
_TRIES: Final = 3

_TROUBLE: Final = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)

_log = structlog.get_logger("desk")

Answer = dict[str, Any]


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
        self._connection = connection
        self._js: JetStreamContext = connection.jetstream()
        self._answered = ask
        self._clock = clock
        self._letters = letters
        self._serves = serves
        self._look_again = look_again
        self._beside: set[asyncio.Task[None]] = set()
        self._leaving = asyncio.Event()
        self._book = Book(self._js)
        self._unfinished = Unfinished(self._js)
        self._verbs: Mapping[str, Callable[[Any], Awaitable[Answer]]] = {
            "reply": self.reply,
            "show": self.show,
            "set": self.set,
            "silence": self.silence,
            "export": self.export,
            "who": self.who,
            "forget": self.forget,
            "forgotten": self.forgotten,
            "waits": self.waits,
            "settle": self.settle,
            "bounced": self.bounced,
            "find": self.find,
        }

    async def start(self) -> None:
        """Open the book and take questions. The streams are there: whoever runs beside it has declared them."""
        await self._book.open()
        await self._unfinished.open()
        self._subscription = await self._connection.subscribe(f"{names.DESK_ROOT}.*", queue="desk", cb=self._take)
        await self._connection.flush()
        self._keep(self._expire())
        self._keep(self._carry_on())

    async def stop(self) -> None:
        """Finish what is at hand, and take no more. Who hears nothing in time asks again."""
        self._leaving.set()
        with suppress(nats.errors.Error, TimeoutError):
            await while_there(self._connection, AT_HAND, self._finish())
        await end(*self._beside)

    async def _finish(self) -> None:
        await asyncio.gather(*self._beside)
        await self._subscription.drain()  # type: ignore[no-untyped-call]  # nats-py is typed in parts

    # -- questions and answers ----------------------------------------------------------------------------------------

    async def _take(self, message: Msg) -> None:
        body, headers = pack(await self._answer(message))
        with suppress(nats.errors.Error):  # whoever asked has gone
            await self._connection.publish(message.reply, body, headers=headers)

    async def _answer(self, message: Msg) -> Answer:
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
        except _TROUBLE as error:
            return _refused(f"the server did not answer ({type(error).__name__}): try again in a moment", again=True)
        except Exception as error:  # noqa: BLE001 - one question that brings a fault of ours to light stops no other
            # Not the text of the error: it may repeat what was said.
            _log.error("a fault", verb=verb, error=type(error).__name__)
            return _refused(f"the desk failed on this ({type(error).__name__})")

    # -- the verbs ----------------------------------------------------------------------------------------------------

    async def reply(self, given: Any) -> Answer:
        """Put a word of hers into the log; harmless when it is there."""
        reply = Reply.model_validate(given)
        timeline = await self._ask("timeline", {"order": reply.order, "raw": True})
        if timeline["order"] is None:
            raise DeskError(f"'{reply.order}' is no order")
        history = History.of(timeline)
        entry = await self._entry(history)
        contact = entry.contact
        text = redacted(without_quotes(reply.text), contact)
        if reply.id is not None and redacted(reply.id, contact) != reply.id:
            reply = reply.model_copy(update={"id": f"<{reply.id}>"})  # so that it is kept as a hash
        if reply.sender:
            text = redacted(text, Contact(name=reply.sender))
        said = decide_reply(reply, text, history, self._clock.now())
        places = await log.append_batch(self._js, said.facts)
        return {
            "order": history.order,
            "id": said.id,
            "outcome": "accepted" if said.facts else "duplicate",
            "customer_forgotten": entry.forgotten,
            "facts": [
                {"type": fact.name, "id": fact.id, "position": place.position, "data": fact.data}
                for fact, place in zip(said.facts, places, strict=True)
            ],
        }

    async def show(self, given: Any) -> Answer:
        """What the book has about her, and which orders are hers."""
        customer = await find_customer(self._ask, Named.model_validate(given).ref)
        return await self._document(customer)

    async def set(self, given: Any) -> Answer:
        """Change her record."""
        changes = Changes.model_validate(given)
        customer = await find_customer(self._ask, changes.ref)
        await self._book.change(customer.key, lambda known: changed(known, changes))
        return await self._document(customer)

    async def silence(self, given: Any) -> Answer:
        """Write to her no more, but of what she must decide, as a letter asks. Raises DeskError where it comes from an
        address at which we do not write to her: whoever guesses the number of an order must not silence us."""
        unwanted = Unwanted.model_validate(given)
        try:
            customer = await find_customer(self._ask, unwanted.order)
        except DeskError:
            return {"order": unwanted.order, "written_to": False}  # it has no customer
        contact = (await self._book.find(customer.key)).contact
        if contact is None:
            return {"order": unwanted.order, "written_to": False}
        if not is_hers(unwanted.address, contact):
            raise DeskError(_NOT_HER_ADDRESS.format(unwanted.order))
        changes = Changes(ref=unwanted.order, paused_until=self._clock.now() + _FOR_GOOD)
        await self._book.change(customer.key, lambda known: changed(known or contact, changes))
        return {"order": unwanted.order, "written_to": True}

    async def export(self, given: Any) -> Answer:
        """All that is held about her and is not in the log: her record, what was rejected, and which letters lie there.

        Timelines and messages are for whoever asks to get from the read models.
        """
        customer = await find_customer(self._ask, Named.model_validate(given).ref)
        traces = await self._traces(customer)
        kept: list[Answer] = []
        total = 0
        async for rejected in rejected_of(self._js, traces):
            total += 1
            if len(kept) < _MOST_REJECTED:
                kept.append(as_json(rejected))
        return {**await self._document(customer), "rejected": kept, "rejected_total": total}

    async def forget(self, given: Any) -> Answer:
        """Erase her name and addresses wherever they lie, and see to it that they do not come back.

        Raises DeskError where nothing is known of her, unless that is said to be meant.
        """
        meant = Forgotten.model_validate(given)
        customer = await find_customer(self._ask, meant.ref)
        known = await self._is_known(customer)
        if not known and not meant.even_if_unknown:
            raise DeskError(
                f"{await self._unknown(customer)}. Nothing was forgotten; "
                "to have nobody written to under that number all the same, say --even-if-unknown"
            )
        return await self._forget(customer, known)

    async def who(self, given: Any) -> Answer:
        """Who is meant, and whether anything is known of her: to be asked before she is forgotten."""
        customer = await find_customer(self._ask, Named.model_validate(given).ref)
        entry = await self._book.find(customer.key)
        return {
            "opener": customer.opener,
            "customer": customer.reference,
            "known": bool(entry.revision or customer.orders),
            "forgotten": entry.forgotten,
            "orders": list(customer.order_ids),
        }

    async def find(self, given: Any) -> Answer:
        """Customers by their names, each with her orders."""
        sought = Sought.model_validate(given)
        found = await find_by_name(self._js, sought)
        at_least = await log.last_position(self._js)
        first = found[: sought.limit]
        whose = {"openers": [known.opener for known in first], "customers": [known.reference for known in first]}
        orders = (await self._ask("customers", whose, at_least))["orders"] if first else []
        customers = [
            {"name": known.name, "opener": known.opener, "customer": known.reference, "orders": hers}
            for known, hers in zip(first, orders, strict=True)
        ]
        return {"customers": customers, "total": len(found)}

    async def forgotten(self, given: Any) -> Answer:
        """Those of several customers who were forgotten. No query: whoever shows orders asks it each time."""
        pairs = Several.model_validate(given).customers
        found = [pair for pair in pairs if (await self._book.find(customer_key(*pair))).forgotten]
        return {"customers": found}

    async def waits(self, given: Any) -> Answer:
        """What the planned messages of some orders wait for, as far as the read models are: it is only shown."""
        asked = Awaited.model_validate(given)
        now = self._clock.now()
        found: Answer = {}
        for history in await histories_of(asked.orders, self._answered, now):
            order = history["order"] or {}
            if order.get("opened_by") and order.get("customer"):
                entry = await self._book.find(customer_key(order["opened_by"], order["customer"]))
                found |= {} if entry.forgotten else waits(history, entry.contact, now)
        return {"messages": found}

    async def settle(self, given: Any) -> Answer:
        """Say of a message that was parked whether it arrived after all."""
        settled = Settled.model_validate(given)
        orders = (await self._ask("message", {"message": settled.message}))["orders"]
        if not orders:
            raise DeskError(f"there is no message {settled.message}")
        timeline = await self._ask("timeline", {"order": orders[0]["order_id"], "raw": True})
        fact = decide_settlement(settled, timeline, self._clock.now())
        place = await log.append(self._js, fact)
        return {
            "order": fact.subject,
            "message": settled.message,
            "status": fact.name.partition(".")[2],
            "position": place.position,
        }

    async def bounced(self, given: Any) -> Answer:
        """Say of a message that its letter came back for good; harmless when that is known."""
        bounced = Bounced.model_validate(given)
        orders = (await self._ask("message", {"message": bounced.message}))["orders"]
        if not orders:
            raise DeskError(f"there is no message {bounced.message}")
        timeline = await self._ask("timeline", {"order": orders[0]["order_id"], "raw": True})
        facts = decide_bounce(bounced, timeline, self._clock.now())
        await log.append_batch(self._js, facts)
        return {"order": timeline["order"]["order_id"], "failed": [fact.data["message"] for fact in facts]}

    async def _forget(self, customer: Customer, known: bool) -> Answer:
        begun = await self._unfinished.begin(customer)
        traces = await self._traces(customer)
        # Her record tells her traces, so it goes last: after a crash the whole can be done again. Once it is gone,
        # nothing comes to lie there any more, and what came in the meantime goes with the second look.
        rejected, letters = await self._erase(traces)
        await self._book.forget(customer.key, self._clock.now())
        late = await self._erase(traces)
        self._keep(self._erase_again(traces, begun))
        _log.info("a customer was forgotten", opener=customer.opener, orders=len(customer.orders))
        return {
            "opener": customer.opener,
            "customer": customer.reference,
            "forgotten": True,
            "known": known,
            "orders": list(customer.order_ids),
            "rejected": rejected + late[0],
            "letters": letters + late[1],
        }

    async def _erase(self, traces: Traces) -> tuple[int, int]:
        """How many submissions, and how many letters, were hers and are gone."""
        return await erase_rejected(self._js, traces), await asyncio.to_thread(erase_letters, self._letters, traces)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Have ``work`` done beside all else; it ends soon once we leave."""
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _expire(self) -> None:
        while not self._leaving.is_set():
            try:
                if erased := await erase_expired(self._js, self._clock.now()):
                    _log.info("erased what was rejected long ago", submissions=erased)
            except _TROUBLE as error:
                _log.debug("will look for what was rejected long ago later", error=type(error).__name__)
            await self._leaves_within(_EXPIRE_EVERY)

    async def _erase_again(self, traces: Traces, begun: Begun) -> None:
        """The notifier may have had her address in hand when her record went."""
        early = await self._leaves_within(self._look_again)
        try:
            await self._erase(traces)
            if not early:  # else whoever starts next looks once more
                await self._unfinished.end(begun)
        except _TROUBLE as error:
            _log.warning("a second look for letters failed: the next start makes it", error=type(error).__name__)

    async def _carry_on(self) -> None:
        """Forget whom somebody began to forget who was killed before the end of it."""
        unfinished: list[tuple[str, str]] | None = None
        while not self._leaving.is_set():
            try:
                if unfinished is None:
                    unfinished = [whom async for whom in self._unfinished.all()]
                while unfinished:
                    await self._forget(await customer_of(self._ask, *unfinished[0]), known=True)
                    unfinished.pop(0)
                return
            except (NoAnswerError, *_TROUBLE) as error:
                _log.debug("will go on forgetting later", error=type(error).__name__)
                await self._leaves_within(_TRY_AGAIN)

    async def _leaves_within(self, seconds: float) -> bool:
        """Wait for so long, or until we leave; whether we do."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._leaving.wait(), seconds)
        return self._leaving.is_set()

    # -- what they need -----------------------------------------------------------------------------------------------

    async def _ask(self, name: str, args: dict[str, Any], at_least: int | None = None) -> Answer:
        """What the read models say, with all that is in the log: an order that was opened just now is hers, too."""
        at_least = at_least or await log.last_position(self._js)
        for _ in range(_TRIES - 1):
            with suppress(NoAnswerError):  # a projector that starts, or has much to do
                return await self._answered(name, args, at_least)
        return await self._answered(name, args, at_least)

    async def _entry(self, history: History) -> Entry:
        """What the book has of the customer of an order."""
        if not history.opener or not history.customer:
            return Entry()
        return await self._book.find(customer_key(history.opener, history.customer))

    async def _document(self, customer: Customer) -> Answer:
        entry = await self._book.find(customer.key)
        if not entry.revision and not customer.orders:
            raise DeskError(await self._unknown(customer))
        kinds = dict.fromkeys(channel.kind for channel in entry.contact.channels) if entry.contact else ()
        document = as_document(customer, entry.contact, entry.forgotten, self._clock.now())
        return document | {"not_served": [kind for kind in kinds if not self._serves(kind)]}

    async def _is_known(self, customer: Customer) -> bool:
        """Whether there is a record of her, or was, or an order of hers."""
        return bool(customer.orders) or (await self._book.find(customer.key)).revision > 0

    async def _unknown(self, customer: Customer) -> str:
        """That nothing is known of her, and who may be meant instead."""
        return unknown(customer, await near(self._js, self._book, customer.opener, customer.reference))

    async def _traces(self, customer: Customer) -> Traces:
        contact = (await self._book.find(customer.key)).contact
        messages: list[str] = []
        for order in customer.order_ids:
            timeline = await self._ask("timeline", {"order": order, "raw": True})
            for entry in timeline["entries"]:
                data = entry["data"] if isinstance(entry["data"], dict) else {}
                messages += [str(data[name]) for name in ("message", "letter") if data.get(name)]
        return Traces.of(customer.opener, customer.reference, contact, customer.order_ids, messages)


def _refused(detail: str, *, again: bool = False) -> Answer:
    return {"error": {"title": "The desk cannot do that", "detail": detail, "again": again}}
