"""One plain sentence per fact: what its party says, without the party itself in front.

``sentence("item.handed_over", {"to": "importer:noord"}, moments)`` is ``handed it to importer:noord``. Data
may lack any field and hold any JSON: others wrote it, perhaps with a later version of the chain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cli.render.moments import Moments
from cli.render.owed import has_not, to_do, who
from cli.render.plain import short, word

Data = dict[str, Any]

#: {field}, {field@} for a moment, {field|words instead}; a part in [ ] goes when a field of it is missing.
TEMPLATES: dict[str, str] = {
    "order.opened": (
        "took in {product|the order}[ of customer {customer}][: {fault_text}][ (fault {fault_code})][, {urgency}]"
    ),
    "order.referenced": "calls it {reference}[ ({kind})]",
    "order.closed": "closed the order: {outcome|done}[ ({note})]",
    "order.reopened": "reopened the order[: {reason}]",
    "order.merged": "found that it is one with {into|another}, which goes on[: {reason}]",
    "order.unmerged": "found that it is an order of its own after all[: {reason}]",
    "item.handed_over": (
        "handed {item|it} to {to|somebody}[ with {carrier}][, parcel {tracking_number}][; expected by {expected_by@}]"
    ),
    "item.received": "received {item|it}[ from {from}][, {condition}]",
    "item.returned": "gave {item|it} back to the customer[ ({note})]",
    "item.tracked": "heard from the carrier[ {carrier}] that {parcel} {where}[ ({code})]",
    "diagnosis.made": "found[ in {item}]: {summary}[ (fault {fault_code})]",
    "quote.offered": "quoted {amount|a price}[ {currency}][ for {description}][, valid until {valid_until@}]",
    "quote.accepted": "has a yes to the quote[ {quote}]",
    "quote.declined": "has a no to the quote[ {quote}][: {reason}]",
    "part.ordered": ("ordered {part|a part}[ for {item}][ from {supplier}][; expected by {expected_by@}]"),
    "part.arrived": "got {part|the part}[ for {item}]",
    "part.rejected": "sent {part|the part} back[ for {item}][: {why}]",
    "repair.started": "began to repair {item|it}[; expected by {expected_by@}]",
    "repair.completed": "repaired {item|it}[: {summary}]",
    "repair.failed": "could not repair {item|it}[: {why}][; offered: {options}]",
    "work.paused": "is waiting for {who|something}[: {why}]",
    "work.resumed": "went on with the work[: {why}]",
    "unit.replaced": "replaced {old|it} by {new|another unit}",
    "cover.claimed": "asked that the guarantee pays[: {cause}][; {decider} decides]",
    "cover.decided": "decided on cover: {decision}[, {cause}][ (by {decider})][; appeal: {appeal}]",
    "product.registered": "registered the product[ {model}][, serial {serial}]",
    "registration.failed": "could not register the product[: {why}]",
    "promise.made": "promised[ {to}]: {what}[, by {by_when@}]",
    "promise.moved": "moved promise {promise}[ to {by_when@}][: {reason}]",
    "question.asked": "asked[ {to}][ ({channel})]: {text}[ (answer due {due@})]",
    "question.answered": "answered: {text}",
    "customer.contacted": "{direction}[ ({channel})][: {summary}]",
    "visit.scheduled": "planned a visit[ from {from@}][ to {until@}][: {what}]",
    "visit.done": "made the visit[: {result}]",
    "feedback.given": "heard from the customer: {holds|feedback}[, score {score}][: {text}]",
    "gesture.offered": "offered {what|a gesture}",
    "gesture.given": "gave {what|a gesture}",
    "party.closed": "is closed[ from {from@}][ to {until@}][: {reason}]",
    "party.briefed": (
        "gave the list of {day|the day}[: {open} open][, {overdue} late][, {asked} to answer][, {calls} to call]"
    ),
    "commitment.overdue": "noticed that {owed}[, due {due@}][ (level {level})]",
    "commitment.nudged": "reminded {who} to {step}[, due {due@}]",
    "commitment.withdrawn": "found that {who} was not late to {step} after all[: that ended on {ended_at@}]",
    "policy.adopted": "adopted policy {digest}, which says how long everything may take",
    "message.planned": "means to tell the customer[ “{subject}”][ by {channel}]",
    "message.attempted": "is about to write to the customer[ by {channel}][ (attempt {attempt})][: last time {after}]",
    "message.sent": "told the customer[ “{subject}”][ by {channel}]",
    "message.failed": "could not reach the customer[ ({kind})][: {reason}]",
    "message.unknown": "does not know whether the customer was reached[ ({kind})][ by {channel}][: {reason}]",
    "message.suppressed": "did not tell the customer[ ({kind})][: {reason}]",
    "fact.corrected": ("took back {fact_id|a fact}[ of {fact_source}][: {reason}][, see {replaced_by}][ ({note})]"),
    "incident.declared": "declared an incident: {what}[ (fault {fault_code})][, {region}]",
    "incident.resolved": "says that the incident is over[: {what}]",
}

#: What sounds otherwise when the customer herself says it.
BY_CUSTOMER: dict[str, str] = {
    "customer.contacted": "got in touch[ ({channel})][: {summary}]",
    "quote.accepted": "said yes to the quote[ {quote}]",
    "quote.declined": "said no to the quote[ {quote}][: {reason}]",
    "feedback.given": "says that {holds|this is her word on it}[, score {score}][: {text}]",
    "item.returned": "has it back[ ({note})]",
}

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{(\w+)(@?)(?:\|([^{}]*))?\}")


def product_name(product: Any) -> str:
    """``Halden Meridian 36``, or the product's description; empty when nothing is known."""
    if not isinstance(product, dict):
        return ""
    named = " ".join(part for part in (word(product.get("brand")), word(product.get("model"))) if part)
    return named or word(product.get("description"))


def _listed(value: Any) -> str:
    return ", ".join(word(each).replace("_", " ") for each in value) if isinstance(value, list) else word(value)


def _opened(data: Data) -> Data:
    product, items = product_name(data.get("product")), data.get("items")
    if isinstance(items, list) and len(items) > 1:
        product = f"{product or 'an order'} ({len(items)} items)"
    urgency = data.get("urgency")
    return data | {"product": product, "urgency": "" if urgency == "routine" else urgency}


def _paused(data: Data) -> Data:
    waiting_for = word(data.get("waiting_for"))
    for_whom = {"customer": "the customer", "part": "a part", "other": "something else"}
    return data | {"who": data.get("who") or for_whom.get(waiting_for, waiting_for)}


def _replaced(data: Data) -> Data:
    def unit(age: str) -> str:
        model, serial = word(data.get(f"{age}_model")), word(data.get(f"{age}_serial"))
        return " ".join(part for part in (model, serial) if part)

    return data | {"old": unit("old") or data.get("item"), "new": unit("new")}


#: What a carrier says of a parcel, by its status.
PARCEL_WORDS: dict[str, str] = {
    "announced": "is announced to it",
    "in_transit": "is on its way",
    "out_for_delivery": "is out for delivery",
    "available": "waits to be fetched",
    "delivered": "was delivered",
    "exception": "cannot go on as it should",
    "returned": "goes back to the sender",
}


def _tracked(data: Data) -> Data:
    status = word(data.get("status"))
    number = word(data.get("tracking_number"))
    data = data | {"parcel": f"parcel {number}" if number else "the parcel"}
    return data | {"where": PARCEL_WORDS.get(status, f"is {status.replace('_', ' ') or 'somewhere'}")}


def _contacted(data: Data) -> Data:
    inbound = data.get("direction") == "inbound"
    said = "heard from the customer, who got in touch" if inbound else "got in touch with the customer"
    return data | {"direction": said}


def _feedback(data: Data) -> Data:
    holds = data.get("holds")
    said = "" if holds is None else "the repair holds" if holds is True else "the repair does not hold"
    return data | {"holds": said}


def _overdue(data: Data) -> Data:
    owed = has_not(data.get("owed_by"), data.get("kind"))
    return data | {"owed": owed, "level": "" if data.get("level") == 1 else data.get("level")}


def _owed(data: Data) -> Data:
    return data | {"who": who(data.get("owed_by")), "step": to_do(data.get("kind"))}


def _reason(data: Data) -> Data:
    return data | {"reason": word(data.get("reason")).replace("_", " ")}


def _corrected(data: Data) -> Data:
    reasons = {"did_not_occur": "it did not happen", "incorrect_data": "it was not right"}
    reason = word(data.get("reason"))
    return data | {"reason": reasons.get(reason, reason), "replaced_by": _listed(data.get("replaced_by"))}


#: Fields that need more than their text.
_PREPARE: dict[str, Callable[[Data], Data]] = {
    "order.opened": _opened,
    "repair.failed": lambda data: data | {"options": _listed(data.get("options"))},
    "work.paused": _paused,
    "unit.replaced": _replaced,
    "cover.decided": lambda data: data | {"decision": word(data.get("decision")).replace("_", " ")},
    "item.tracked": _tracked,
    "customer.contacted": _contacted,
    "feedback.given": _feedback,
    "commitment.overdue": _overdue,
    "commitment.nudged": _owed,
    "commitment.withdrawn": _owed,
    "message.failed": _reason,
    "message.unknown": _reason,
    "message.suppressed": _reason,
    "fact.corrected": _corrected,
}


def _fill(template: str, data: Data, moments: Moments) -> str:
    def value(field: re.Match[str]) -> str:
        name, moment, instead = field.groups()
        raw = data.get(name)
        return word(moments.text(raw) if moment else raw) or word(instead)

    def part(found: re.Match[str]) -> str:
        fields = list(_FIELD.finditer(found[1]))
        return found[1] if all(value(field) for field in fields) else ""

    return _FIELD.sub(lambda field: value(field) or "?", _OPTIONAL.sub(part, template))


def sentence(name: str, data: Any, moments: Moments, *, by_customer: bool = False) -> str:
    """What the fact ``name`` with ``data`` says; for an unknown type its name and its data as they came.

    ``by_customer`` if she says it herself.
    """
    template = (BY_CUSTOMER.get(name) if by_customer else None) or TEMPLATES.get(name)
    if template is None:
        return unknown(name, data)
    said: Data = data if isinstance(data, dict) else {}
    prepare = _PREPARE.get(name)
    return _fill(template, prepare(said) if prepare else said, moments)


def unknown(name: str, data: Any) -> str:
    """A fact of a type or version that this program does not know."""
    return f"said {word(name) or 'something'}, which this version does not know: {short(word(data), 300)}"
