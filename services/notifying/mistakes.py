"""What she was told and what turned out not to be so: we owe it to her to say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from events.chain import commitment_id
from services.notifying.apart import still_said
from services.notifying.history import Happened, History, Told

CORRECTION: Final = "fact.corrected"


def untrue(history: History) -> tuple[Told, ...]:
    """The messages that she got and whose cause was taken back since, the first first; not what was said besides, nor a
    price of which she has read since that it is another one.

    On a closed order only the last word matters: nobody is written to again about a stage of long ago.
    """
    repeated = {origin for fact in history.facts if (origin := _key(history.origin(fact))) != _key(fact)}
    standing = repeated | {_key(fact) for fact in history.facts}
    voided = {_key(fact) for fact in history.voided if _key(fact) not in standing and not still_said(fact, history)}
    if not voided:
        return ()
    sent = history.sent if history.open else history.sent[-1:]
    wrong = (told for told in sent if told.cause in voided or _of_no_handover(told, history, voided))
    return tuple(told for told in wrong if not _knows_the_price(told, sent, history))


def taken_back(history: History, *, planned: bool = False) -> tuple[Told, ...]:
    """Those of them of which she has not been told so yet; with ``planned``, nor is about to be."""
    admitted = {
        message
        for told in history.told
        if told.status == "sent" or (planned and told.status == "planned")
        for message in told.corrects
    }
    return tuple(told for told in untrue(history) if told.id not in admitted)


def reopens(correction: Happened, history: History) -> bool:
    """Whether it took back an end: what was not told of an order that seemed closed may be news now."""
    return any(
        (fact.name, fact.source, fact.id) == ("order.closed", correction.source, correction.data.get("fact_id"))
        for fact in history.voided
    )


def _knows_the_price(told: Told, sent: Sequence[Told], history: History) -> bool:
    """Whether a later letter named another price beside the one in ``told``."""
    prices = {_key(fact): fact for fact in (*history.voided, *history.facts) if fact.name == "quote.offered"}
    wrong = prices.get(told.cause)
    return wrong is not None and any(
        later.position > told.position
        and (price := prices.get(later.cause)) is not None
        and price.place_in_time > wrong.place_in_time
        and (price.item, price.data.get("currency")) == (wrong.item, wrong.data.get("currency"))
        for later in sent
    )


def _of_no_handover(told: Told, history: History, voided: set[tuple[str, str]]) -> bool:
    """Whether a delay was told of something that was never sent off."""
    cause = history.find(*told.cause) if told.kind == "overdue" else None
    if cause is None:
        return False
    orders = (history.order, *history.merged)
    receipts = {commitment_id("receive", order, source, id) for source, id in voided for order in orders}
    return cause.data.get("commitment") in receipts


def _key(fact: Happened) -> tuple[str, str]:
    return fact.source, fact.id
