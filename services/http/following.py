"""What a partner may see: the orders that it has a part in, and nothing else.

It has a part in an order if it opened it, answers to its customer, or was handed it by one who has a part. To say
something about an order is not enough: anybody registered may, who knows its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.answering import Ask, NoAnswerError, QuestionError
from services.http.problems import Refused

#: One name may mean several orders; so many are looked at.
_LOOKED_AT: Final = 20

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
    "references",
)


async def timelines(ask: Ask, party: str, name: str, at_least: int | None) -> list[dict[str, Any]]:
    """The whole timelines of the orders that ``name`` means and ``party`` has a part in. Raises Refused (503)."""
    found = []
    try:
        for order in (await ask("find", {"order": name}, at_least))["orders"][:_LOOKED_AT]:
            try:
                timeline = await ask("timeline", {"order": order}, at_least)
            except QuestionError:  # a party's own facts have no timeline
                continue
            if party in taking_part(timeline):
                found.append(timeline)
    except QuestionError:
        return []
    except NoAnswerError as error:
        raise Refused(503, "unavailable", f"nobody answers questions at the moment: {error}", 2) from None
    return found


def taking_part(timeline: Mapping[str, Any]) -> set[str]:
    """Who has a part in the order."""
    order = timeline["order"] or {}
    parties = {party for party in (order.get("opened_by"), order.get("accountable")) if party}
    for handoff in sorted(timeline["handoffs"], key=lambda row: str(row["handed_at"])):
        if handoff["from_party"] in parties:
            parties.add(handoff["to_party"])
    return parties


def seen_by(party: str, timeline: Mapping[str, Any]) -> dict[str, Any]:
    """The timeline as ``party`` may see it: what was said with the customer is for those who face her."""
    order = timeline["order"]
    faces_her = party in (order["accountable"], order["opened_by"])
    view: dict[str, Any] = {
        "order": {name: order.get(name) for name in _SHOWN},
        "entries": [entry for entry in timeline["entries"] if faces_her or not entry["type"].startswith(_HERS)],
        "handoffs": timeline["handoffs"],
        "commitments": [_without_her(row) for row in timeline["commitments"]],
    }
    for part in _FOR_THOSE_WHO_FACE_HER if faces_her else ():
        view[part] = timeline[part]
    if not faces_her:
        view["entries"] = list(_without_her_number(view["entries"]))
    return view


def _without_her(row: Mapping[str, Any]) -> dict[str, Any]:
    """A commitment; the shop's number for the customer is nobody else's business."""
    return {name: "customer" if str(value).startswith("customer:") else value for name, value in row.items()}


def _without_her_number(entries: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for entry in entries:
        data = {name: value for name, value in (entry["data"] or {}).items() if name != "customer"}
        source = "customer" if str(entry["source"]).startswith("customer:") else entry["source"]
        yield {**entry, "data": data, "source": source}


def last_handover(party: str, timeline: Mapping[str, Any]) -> str | None:
    """The id of the last handover by ``party`` that nobody has received yet."""
    waiting = [row["position"] for row in timeline["handoffs"] if row["from_party"] == party and row["state"] == "open"]
    ids = {entry["position"]: entry["id"] for entry in timeline["entries"] if entry["source"] == party}
    return ids.get(max(waiting, default=-1))
