"""What she said, and what became of what we wrote to her: the desk's verbs that are about words and letters."""

from __future__ import annotations

from typing import Any

from nats.js import JetStreamContext

from events import log
from events.clock import Clock
from events.subjects import customer_key
from services.answering import Ask
from services.contact import Contact
from services.desk.asking import up_to_date
from services.desk.awaiting import Awaited, histories_of, waits
from services.desk.book import Book, Entry
from services.desk.bouncing import Bounced, decide_bounce
from services.desk.mail_text import without_quotes
from services.desk.problems import DeskError
from services.desk.redacting import redacted
from services.desk.saying import Reply, decide_reply
from services.desk.settling import Settled, decide_settlement
from services.notifying.history import History


class Correspondence:
    """Each method takes a question as it came, and returns the result. Raises DeskError, and what asking raises."""

    def __init__(self, js: JetStreamContext, ask: Ask, clock: Clock, book: Book) -> None:
        self._js = js
        self._as_far_as_read = ask
        self._ask = up_to_date(ask, js)
        self._clock = clock
        self._book = book

    async def reply(self, given: Any) -> dict[str, Any]:
        """Put a word of hers into the log; harmless when it is there."""
        reply = Reply.model_validate(given)
        timeline = await self._ask("timeline", {"order": reply.order, "raw": True}, None)
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

    async def waits(self, given: Any) -> dict[str, Any]:
        """What the planned messages of some orders wait for, as far as the read models are: it is only shown."""
        asked = Awaited.model_validate(given)
        now = self._clock.now()
        found: dict[str, Any] = {}
        for history in await histories_of(asked.orders, self._as_far_as_read, now):
            order = history["order"] or {}
            if order.get("opened_by") and order.get("customer"):
                entry = await self._book.find(customer_key(order["opened_by"], order["customer"]))
                found |= {} if entry.forgotten else waits(history, entry.contact, now)
        return {"messages": found}

    async def settle(self, given: Any) -> dict[str, Any]:
        """Say of a message that was parked whether it arrived after all."""
        settled = Settled.model_validate(given)
        timeline = await self._timeline_of(settled.message)
        fact = decide_settlement(settled, timeline, self._clock.now())
        place = await log.append(self._js, fact)
        return {
            "order": fact.subject,
            "message": settled.message,
            "status": fact.name.partition(".")[2],
            "position": place.position,
        }

    async def bounced(self, given: Any) -> dict[str, Any]:
        """Say of a message that its letter came back for good; harmless when that is known."""
        bounced = Bounced.model_validate(given)
        timeline = await self._timeline_of(bounced.message)
        facts = decide_bounce(bounced, timeline, self._clock.now())
        await log.append_batch(self._js, facts)
        return {"order": timeline["order"]["order_id"], "failed": [fact.data["message"] for fact in facts]}

    async def _timeline_of(self, message: str) -> dict[str, Any]:
        """Of the order that a message of ours is about. Raises DeskError if there is no such message."""
        orders = (await self._ask("message", {"message": message}, None))["orders"]
        if not orders:
            raise DeskError(f"there is no message {message}")
        return await self._ask("timeline", {"order": orders[0]["order_id"], "raw": True}, None)

    async def _entry(self, history: History) -> Entry:
        """What the book has of the customer of an order."""
        if not history.opener or not history.customer:
            return Entry()
        return await self._book.find(customer_key(history.opener, history.customer))
