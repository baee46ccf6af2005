"""Which messages of an order go out now, in one letter, and which wait or are not told at all. Pure.

Whatever waited for the same moment (the end of quiet hours, a mail server that came back) reaches her as one letter:
the last of them speaks, the others are told in it. Progress waits a few minutes for that (``waits_for_more``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from events.chain import MessagePlanned
from services.contact import Contact
from services.messages import decide_delivery
from services.notifying.decency import Manners, is_beside_the_others, not_before, waits_for_more
from services.notifying.history import History, moment
from services.notifying.places import LAST, DayPlace
from services.notifying.records import MessagePlan, MessagePolicy, PlannedMessage, Send, Suppress, SuppressReason

#: Only she can say how it goes on: a pause does not keep these from her, for without them nothing would go on at all.
ASKING: Final = frozenset({"quote", "question", "failed"})

#: Of a visit that begins within this she hears at once.
_SOON: Final = timedelta(hours=2)


@dataclass(frozen=True)
class Gathered:
    """``lead`` gives the letter its id, its subject and the date of the next news; ``others`` are told in it.

    ``place`` is to be taken first, where it may be one of the last letters that she gets today.
    """

    lead: PlannedMessage
    others: tuple[PlannedMessage, ...] = ()
    place: DayPlace | None = None


@dataclass(frozen=True)
class Hold:
    """It is true and worth telling, but not before ``until``.

    ``for_more``: it only waits for what else there may be to tell, and goes with whatever leaves before that.
    """

    until: datetime
    for_more: bool = False


def pending(timeline: Mapping[str, Any]) -> dict[str, PlannedMessage]:
    """The order's messages that have no outcome yet, by id, as they were planned."""
    waiting = {row["message_id"] for row in timeline["messages"] if row["status"] == "planned"}
    found: dict[str, PlannedMessage] = {}
    for entry in timeline["entries"] if waiting else ():
        if not _is_plan(entry) or entry["voided"]:
            continue
        message = str((entry["data"] or {}).get("message"))
        if message in waiting and message not in found:
            try:
                planned = MessagePlanned.model_validate(entry["data"])
            except ValidationError:
                continue
            found[message] = PlannedMessage(timeline["order"]["order_id"], planned)
    return found


@dataclass(frozen=True)
class Reach:
    """How she can be reached: ``unable`` is why she cannot, if she cannot."""

    contact: Contact
    unable: SuppressReason | None = None


def gather(
    message: str, timeline: Mapping[str, Any], reach: Reach, policy: MessagePolicy, now: datetime
) -> Gathered | Hold | Suppress | None:
    """What to do about ``message`` now; None if it has an outcome.

    ``timeline`` is the order's, with ``letters`` and ``rules`` (the query ``histories``).
    """
    waiting = pending(timeline)
    if message not in waiting:
        return None
    verdict = _verdict(waiting[message], timeline, reach, policy, now)
    if not isinstance(verdict, Send) and not _only_waits_for_more(verdict):
        return verdict
    verdicts = [(each, _verdict(each, timeline, reach, policy, now)) for each in waiting.values()]
    if isinstance(verdict, Hold) and not any(isinstance(other, Send) for _, other in verdicts):
        return verdict
    due = [each for each, its in verdicts if isinstance(its, Send) or _only_waits_for_more(its)]
    counted = [each for each in due if not is_beside_the_others(each.kind)] or due
    return Gathered(due[-1], tuple(due[:-1]), _place(counted[-1], timeline, reach, now))


def _only_waits_for_more(verdict: Send | Hold | Suppress) -> bool:
    return isinstance(verdict, Hold) and verdict.for_more


def _verdict(
    message: PlannedMessage, timeline: Mapping[str, Any], reach: Reach, policy: MessagePolicy, now: datetime
) -> Send | Hold | Suppress:
    verdict = decide_delivery(message, timeline, policy, now)
    if isinstance(verdict, Suppress):
        return verdict
    if reach.unable is not None:
        return Suppress(reach.unable)
    contact = reach.contact
    if contact.is_paused(now) and message.kind not in ASKING:
        return Suppress("paused")
    if message.kind in contact.not_told:
        return Suppress("not_wanted")
    manners = _manners(contact, timeline)
    until = _not_before(message, timeline, manners, now, _letters_today(message.kind, timeline, manners, now))
    if until > now:
        return Hold(until)
    if message.kind == "visit" and _begins(message, timeline, now) <= now + _SOON:
        return verdict  # she has to be there
    more = waits_for_more(
        manners,
        now,
        kind=message.kind,
        planned=_planned(message, timeline) or now,
        happened=_happened(message, timeline) or now,
        urgency=timeline["order"].get("urgency"),
    )
    if more <= now or _breaks_the_date(more, timeline, now):
        return verdict
    return Hold(more, for_more=True)


def _breaks_the_date(until: datetime, timeline: Mapping[str, Any], now: datetime) -> bool:
    """Whether the date that her last letter named passes before ``until``."""
    named = History.of(timeline).named
    return named is not None and now < named <= until


def _place(message: PlannedMessage, timeline: Mapping[str, Any], reach: Reach, now: datetime) -> DayPlace | None:
    """The place in her day that ``message`` has to take, if it is one of the last and the limit holds for it."""
    manners = _manners(reach.contact, timeline)
    letters = _letters_today(message.kind, timeline, manners, now)
    if not manners.most_a_day or letters < manners.most_a_day - LAST:
        return None
    again = _not_before(message, timeline, manners, now, manners.most_a_day)
    if again <= now:
        return None
    beside = is_beside_the_others(message.kind)
    return DayPlace(manners.day_of(now).date(), letters + 1, manners.most_a_day, again, beside=beside)


def _manners(contact: Contact, timeline: Mapping[str, Any]) -> Manners:
    return Manners.of(contact, timeline.get("rules"), timeline.get("time_zone"))


def _letters_today(kind: str, timeline: Mapping[str, Any], manners: Manners, now: datetime) -> int:
    """How many letters among which one of ``kind`` counts she has got today, by what the read models know."""
    today = manners.day_of(now)
    letters, beside = (
        sum(moment(sent) >= today for sent in timeline.get(which) or ()) for which in ("letters", "acknowledgements")
    )
    return beside if is_beside_the_others(kind) else letters - beside


def leaves(plan: MessagePlan, timeline: Mapping[str, Any], manners: Manners) -> datetime:
    """When what is planned so may go out at the earliest, by the letters that she has got."""
    letters = _letters_today(plan.kind, timeline, manners, plan.now)
    return _not_before(plan, timeline, manners, plan.now, letters)


def _not_before(
    message: PlannedMessage | MessagePlan, timeline: Mapping[str, Any], manners: Manners, now: datetime, letters: int
) -> datetime:
    return not_before(
        manners,
        now,
        kind=message.kind,
        happened=_happened(message, timeline) or now,
        urgency=timeline["order"].get("urgency"),
        letters=letters,
        late=_late(message, timeline) if message.kind == "overdue" else None,
    )


def _planned(message: PlannedMessage, timeline: Mapping[str, Any]) -> datetime | None:
    found = (
        entry["occurred_at"]
        for entry in timeline["entries"]
        if _is_plan(entry) and (entry["data"] or {}).get("message") == message.message
    )
    return next((moment(each) for each in found), None)


def _is_plan(entry: Mapping[str, Any]) -> bool:
    return bool(entry["type"].removeprefix("repairchain.").partition(".v")[0] == "message.planned")


def _happened(message: PlannedMessage | MessagePlan, timeline: Mapping[str, Any]) -> datetime | None:
    return next((moment(entry["occurred_at"]) for entry in _causes(message, timeline)), None)


def _late(message: PlannedMessage | MessagePlan, timeline: Mapping[str, Any]) -> str | None:
    """The kind of step that is overdue, of which the message tells."""
    return next(((entry["data"] or {}).get("kind") for entry in _causes(message, timeline)), None)


def _begins(message: PlannedMessage, timeline: Mapping[str, Any], now: datetime) -> datetime:
    """When the visit begins of which the message tells."""
    return next((moment(entry["data"]["from"]) for entry in _causes(message, timeline)), now)


def _causes(message: PlannedMessage | MessagePlan, timeline: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    says = message if isinstance(message, MessagePlan) else message.planned
    cause = (says.trigger_source, says.trigger_id)
    return (entry for entry in timeline["entries"] if (entry["source"], entry["id"]) == cause)
