"""What is known of a customer, what she wants, and that she is forgotten: the desk's verbs that are about her."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from nats.js import JetStreamContext

from events import log
from events.clock import Clock
from events.subjects import customer_key
from services.answering import Ask
from services.desk.asking import up_to_date
from services.desk.book import Book
from services.desk.finding import Sought, find_by_name
from services.desk.forgetting import Forgetting
from services.desk.knowing import near
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
    find_customer,
    is_hers,
    unknown,
)
from services.desk.traces import rejected_of
from services.rejected import as_json

#: Of what was rejected, an answer holds at most so many.
_MOST_REJECTED: Final = 20

_NOT_HER_ADDRESS: Final = (
    "a letter asks to write no more about {}, and comes from an address that is not held for its customer. Nothing was "
    "changed: our letters are stopped from the address at which they come"
)

#: "Stop" is for good.
_FOR_GOOD: Final = timedelta(days=36_500)


class Customers:
    """Each method takes a question as it came, and returns the result. ``serves`` says of a kind of channel whether a
    service is set for it. Raises DeskError, ForgottenError, and what asking raises."""

    def __init__(
        self,
        js: JetStreamContext,
        ask: Ask,
        clock: Clock,
        book: Book,
        forgetting: Forgetting,
        serves: Callable[[str], bool],
    ) -> None:
        self._js = js
        self._ask = up_to_date(ask, js)
        self._clock = clock
        self._book = book
        self._forgetting = forgetting
        self._serves = serves

    async def show(self, given: Any) -> dict[str, Any]:
        """What the book has about her, and which orders are hers."""
        customer = await find_customer(self._ask, Named.model_validate(given).ref)
        return await self._document(customer)

    async def set(self, given: Any) -> dict[str, Any]:
        """Change her record."""
        changes = Changes.model_validate(given)
        customer = await find_customer(self._ask, changes.ref)
        await self._book.change(customer.key, lambda known: changed(known, changes))
        return await self._document(customer)

    async def silence(self, given: Any) -> dict[str, Any]:
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

    async def export(self, given: Any) -> dict[str, Any]:
        """All that is held about her and is not in the log: her record, what was rejected, and which letters lie there.

        Timelines and messages are for whoever asks to get from the read models.
        """
        customer = await find_customer(self._ask, Named.model_validate(given).ref)
        traces = await self._forgetting.traces_of(customer)
        kept: list[dict[str, Any]] = []
        total = 0
        async for rejected in rejected_of(self._js, traces):
            total += 1
            if len(kept) < _MOST_REJECTED:
                kept.append(as_json(rejected))
        return {**await self._document(customer), "rejected": kept, "rejected_total": total}

    async def forget(self, given: Any) -> dict[str, Any]:
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
        return await self._forgetting.forget(customer, known)

    async def who(self, given: Any) -> dict[str, Any]:
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

    async def find(self, given: Any) -> dict[str, Any]:
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

    async def forgotten(self, given: Any) -> dict[str, Any]:
        """Those of several customers who were forgotten. No query: whoever shows orders asks it each time."""
        pairs = Several.model_validate(given).customers
        found = [pair for pair in pairs if (await self._book.find(customer_key(*pair))).forgotten]
        return {"customers": found}

    async def _document(self, customer: Customer) -> dict[str, Any]:
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
