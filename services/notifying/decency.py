"""When a message may go out: not at night, and not too many a day. Pure; the customer's own wishes go first.

What must wait is never dropped: it goes out, in one letter, when the quiet hours end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from projections.calendar import DEFAULT
from projections.policies.messages import MessageRules, quiet_span
from projections.policies.words import is_hurried
from projections.policy import DEFAULT_POLICY
from services.contact import Contact

#: Whoever has just done something is awake, and waits for the word that it has come to us.
JUST_NOW: Final = timedelta(minutes=15)

#: What says that something which she did has come to us.
_ACKNOWLEDGES: Final = frozenset({"opened", "decision", "asked"})

#: Nothing has happened that these tell but that time has passed: nobody is to be woken for that, however urgent.
_BY_THE_CLOCK: Final = frozenset({"update", "person", "check", "overdue"})

#: What she asked herself is acknowledged beside the letters of her day. It may come from a machine that answers our
#: letters: so there are as many of these a day and no more, however urgent.
_BESIDE_THE_OTHERS: Final = frozenset({"asked"})

#: What is written when her quiet hours end has to reach her before the moment that was promised.
AFTER_QUIET: Final = timedelta(hours=1)

#: She was told that she has these after her quiet hours, where they fall due in them: they are late only then.
_NAMED_FOR_THE_MORNING: Final = frozenset({"answer"})

#: She sits and waits for these: that nobody comes she has to hear before she goes to bed.
_WAITED_FOR: Final = frozenset({"visit"})

#: Kind, and in no hurry whatever the order is.
_COURTESIES: Final = frozenset({"gesture"})

#: Progress: whoever reports it often has more to report right after it. None of these asks her anything.
_PROGRESS: Final = frozenset({"received", "repaired", "ready", "closed", "promise", "visit", "cover", "gesture"})

#: Where nobody says when quiet hours end, the day of letters begins then.
_MORNING: Final = time(8)


@dataclass(frozen=True)
class Manners:
    """What holds for one customer: her zone, her quiet hours (None: none), how many letters a day (0: any number), and
    for how long a letter about progress waits for more."""

    zone: ZoneInfo = DEFAULT.zone
    quiet: tuple[time, time] | None = None
    most_a_day: int = 0
    patience: timedelta = timedelta(0)

    @classmethod
    def of(cls, contact: Contact | None, rules: Mapping[str, Any] | None, shop_zone: str | None = None) -> Manners:
        """Those of ``contact`` where she has any, else those of the policy (``rules`` as the query gives them)."""
        policy = MessageRules.model_validate(rules) if rules else DEFAULT_POLICY.messages
        quiet = (contact.quiet if contact else None) or policy.quiet
        return cls(zone_of(contact, shop_zone), quiet_span(quiet), policy.most_a_day, policy.patience)

    def day_of(self, now: datetime) -> datetime:
        """When her day of letters began: the last morning on which quiet hours ended."""
        return _last(now.astimezone(self.zone), self._morning)

    def next_day(self, now: datetime) -> datetime:
        """When her next day of letters begins."""
        return next_clock(now.astimezone(self.zone), self._morning).astimezone(now.tzinfo)

    @property
    def _morning(self) -> time:
        return self.quiet[1] if self.quiet else _MORNING


def zone_of(contact: Contact | None, shop_zone: str | None = None) -> ZoneInfo:
    """The zone in which she reads times: hers, or else that of the shop, where she brought it."""
    named = (contact.time_zone if contact else None) or shop_zone
    return ZoneInfo(named) if named else DEFAULT.zone


def is_beside_the_others(kind: str) -> bool:
    """Whether messages of ``kind`` are no part of the letters of her day, and have a limit of their own."""
    return kind in _BESIDE_THE_OTHERS


def is_by_the_clock(kind: str, late: str | None = None) -> bool:
    """Whether only time has brought about a message of ``kind``; ``late`` is the step of which it tells, if one is."""
    return kind in _BY_THE_CLOCK and late not in _WAITED_FOR


def not_before(
    manners: Manners,
    now: datetime,
    *,
    kind: str,
    happened: datetime,
    urgency: str | None,
    letters: int,
    late: str | None = None,
) -> datetime:
    """The moment from which the message may go out: ``now`` if nothing is against it.

    ``letters`` is how many she has got since ``manners.day_of(now)`` (of those beside the others where it is one of
    them, else of the others), ``late`` the kind of step that is overdue where it tells of one. News of an urgent order
    goes out at any hour, and what only time has brought about when she is awake, however many there were.
    """
    if late in _NAMED_FOR_THE_MORNING:
        now = max(now, when_awake(happened, manners).astimezone(now.tzinfo))
    hurried = is_hurried(urgency)
    local = now.astimezone(manners.zone)
    enough = bool(manners.most_a_day) and letters >= manners.most_a_day
    if enough and kind in _BESIDE_THE_OTHERS:
        return manners.next_day(now)
    if hurried and kind not in _COURTESIES and not is_by_the_clock(kind, late):
        return now
    if kind in _ACKNOWLEDGES and now - happened <= JUST_NOW:
        return now
    if not hurried and enough:
        return manners.next_day(now)
    if manners.quiet is None or not quiet_at(local, manners):
        return now
    return next_clock(local, manners.quiet[1]).astimezone(now.tzinfo)


def waits_for_more(
    manners: Manners, now: datetime, *, kind: str, planned: datetime, happened: datetime, urgency: str | None
) -> datetime:
    """The moment until which a message that may go out ``now`` waits for others to go with it: ``now`` if it does not.

    That is a few minutes after it was ``planned``, and never into her night. What was planned by a clock that has been
    put back since does not wait until it is as late again.
    """
    until = planned + manners.patience
    if kind not in _PROGRESS or not planned <= now < until:
        return now
    heard = not_before(manners, until, kind=kind, happened=happened, urgency=urgency, letters=0)
    return until if heard == until else now


def when_awake(moment: datetime, manners: Manners) -> datetime:
    """``moment``, or an hour after the end of the quiet hours that it falls into: nobody waits up for an answer, and if
    it is late she hears that in the morning."""
    local = moment.astimezone(manners.zone)
    if manners.quiet is None or not quiet_at(local, manners):
        return moment
    return (next_clock(local, manners.quiet[1]) + AFTER_QUIET).astimezone(moment.tzinfo)


def quiet_at(local: datetime, manners: Manners) -> bool:
    """Whether ``local``, a moment in her zone, is in her quiet hours."""
    if manners.quiet is None:
        return False
    (begin, end), at = manners.quiet, local.time()
    return begin <= at < end if begin < end else at >= begin or at < end


def next_clock(local: datetime, clock: time) -> datetime:
    """The next time that her clock shows ``clock``."""
    today = local.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0, fold=0)
    return today if today > local else today + timedelta(days=1)


def _last(local: datetime, clock: time) -> datetime:
    today = local.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0, fold=0)
    return today if today <= local else today - timedelta(days=1)
