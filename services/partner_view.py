"""What a partner may see, by whichever way it asks: the orders that it has a part in, and nothing else.

Of an order that is another's, the answer is the same as if there were none. Everybody who has a part sees the same
story, save for what is between the customer and whoever faces her.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from projections.queries.parts import taking_part
from services.answering import Ask, NoAnswerError, QuestionError

#: One name may mean several orders; so many are looked at.
_LOOKED_AT: Final = 20
_LONGEST_NAME: Final = 500

#: What is between the customer and whoever answers to her.
_HERS: Final = ("customer.", "message.", "question.", "feedback.", "gesture.")
_FOR_THOSE_WHO_FACE_HER: Final = ("messages", "contacts")

#: Of an order, what everybody who has a part in it may know.
_SHOWN: Final = (
    "order_id",
    "status",
    "open",
    "since",
    "holder",
    "heading_to",
    "at_home",
    "accountable",
    "opened_by",
    "opened_at",
    "closed_at",
    "outcome",
    "brand",
    "model",
    "serial",
    "category",
    "fault_text",
    "urgency",
    "next_step",
    "next_owner",
    "next_due",
    "next_news_by",
    "parcel",
    "references",
)


class NotShownError(Exception):
    """There is nothing to show; ``kind`` is a problem's type, ``status`` that of HTTP."""

    def __init__(self, status: int, kind: str, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after


async def timeline(ask: Ask, party: str, name: str, at_least: int | None) -> dict[str, Any]:
    """The story of the order that ``name`` means, as ``party`` may see it. Raises NotShownError (404, 409, 503)."""
    found = await timelines(ask, party, name, at_least) if 0 < len(name) <= _LONGEST_NAME else []
    if not found:
        raise NotShownError(404, "not-found", "there is no such order, or you have no part in it")
    if len(found) > 1:
        ids = ", ".join(each["order"]["order_id"] for each in found[:5])
        raise NotShownError(409, "ambiguous", f"this means several orders: say which ({ids})")
    return seen_by(party, found[0])


async def changed(ask: Ask, party: str, after: int, limit: int, at_least: int | None) -> dict[str, Any]:
    """The orders of ``party`` that have changed after that position, and where to go on. Raises NotShownError (503)."""
    try:
        return await ask("changed", {"party": party, "after": after, "limit": limit}, at_least)
    except (QuestionError, NoAnswerError) as error:
        raise _nobody(error) from None


async def timelines(ask: Ask, party: str, name: str, at_least: int | None) -> list[dict[str, Any]]:
    """The whole timelines of the orders that ``name`` means and ``party`` has a part in. Raises NotShownError (503)."""
    found = []
    try:
        for order in (await ask("find", {"order": name}, at_least))["orders"][:_LOOKED_AT]:
            try:
                story = await ask("timeline", {"order": order}, at_least)
            except QuestionError:  # a party's own facts have no timeline
                continue
            if party in taking_part(story["order"] or {}, story["handoffs"]):
                found.append(story)
    except QuestionError:
        return []
    except NoAnswerError as error:
        raise _nobody(error) from None
    return found


def _nobody(error: Exception) -> NotShownError:
    return NotShownError(503, "unavailable", f"nobody answers questions at the moment: {error}", 2)


def seen_by(party: str, story: Mapping[str, Any]) -> dict[str, Any]:
    """The timeline as ``party`` may see it: what was said with the customer is for those who face her."""
    order = story["order"]
    faces_her = party in (order["accountable"], order["opened_by"])
    view: dict[str, Any] = {
        "order": {name: order.get(name) for name in _SHOWN},
        "entries": [entry for entry in story["entries"] if faces_her or not entry["type"].startswith(_HERS)],
        "handoffs": story["handoffs"],
        "commitments": story["commitments"],
    }
    if faces_her:
        return view | {part: story[part] for part in _FOR_THOSE_WHO_FACE_HER}
    # The shop's number for her is nobody else's business, wherever it stands.
    entries = [
        {**entry, "data": {name: value for name, value in (entry["data"] or {}).items() if name != "customer"}}
        for entry in view["entries"]
    ]
    hers = f"customer:{order['customer']}" if order.get("customer") else None
    seen: dict[str, Any] = _without_her({**view, "entries": entries}, hers)
    return seen


def _without_her(value: Any, hers: str | None) -> Any:
    """``value`` with ``customer`` in the place of every party that is a customer; ``hers`` also within longer texts."""
    if isinstance(value, str):
        if value.startswith("customer:"):
            return "customer"
        return value if hers is None else value.replace(hers, "customer")
    if isinstance(value, Mapping):
        return {name: _without_her(each, hers) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_her(each, hers) for each in value]
    return value


def last_handover(party: str, story: Mapping[str, Any]) -> str | None:
    """The id of the last handover by ``party`` that nobody has received yet."""
    waiting = [row["position"] for row in story["handoffs"] if row["from_party"] == party and row["state"] == "open"]
    ids = {entry["position"]: entry["id"] for entry in story["entries"] if entry["source"] == party}
    return ids.get(max(waiting, default=-1))
