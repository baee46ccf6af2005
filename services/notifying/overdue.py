"""Which commitment that is late, or about to be, is worth a message, and what that message gives way to.

Two rules keep us from saying nothing at all where each of two messages waits for the other: what is told of its own
accord (newsworthy.py, apart.py) never gives way to what is late, and what is late gives way only to a message that is
sure to speak. In doubt we rather speak twice than not.

News that she was promised is due to go out a while before it is late: the watchdog's nudge is the cue. That it fell
overdue all the same speaks where the message of the nudge did not get out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from events.chain import MessageKind
from events.party import role_of
from services.notifying.apart import will_be_told
from services.notifying.decency import JUST_NOW
from services.notifying.history import Happened, History, Owed, moment
from services.notifying.newsworthy import (
    GIVEN_BACK,
    arrived_since,
    has_it_back,
    is_done_at_home,
    is_left_in_peace,
    lies_ready,
    milestone,
    told_as,
    was_asked_at_home,
)
from services.notifying.records import MessagePolicy, SuppressReason, message_id
from services.notifying.since import last_of_others, person_announced, silences

OVERDUE: Final = "commitment.overdue"
NUDGED: Final = "commitment.nudged"

#: Whom no message has reached, another one need not tell that nobody has called her either.
_FOR_PARTIES: Final = frozenset({"call"})

#: Whoever has heard how it stands need not hear the same again so soon after it.
_A_MOMENT: Final = timedelta(days=1)

#: When one of these is overdue she is told how it stands; with any other, that there is a delay.
_HOW_IT_STANDS: Final = frozenset({"update", "return"})


def overdue_kind(trigger: Happened) -> MessageKind | None:
    """``overdue`` for a step that is late, ``update`` where she should have heard from us or it is her turn, ``check``
    where it is time to ask whether the repair holds; or none.

    Not every level concerns her: the fact says whom it does. Of the nudges only that to news does.
    """
    if trigger.name == NUDGED:
        return "update" if trigger.data.get("kind") == "update" else None
    tell = trigger.data.get("tell")
    if trigger.data.get("kind") in _FOR_PARTIES or (tell is not None and "customer" not in tell):
        return None
    if role_of(str(trigger.data.get("owed_by"))) == "customer" or trigger.data.get("kind") in _HOW_IT_STANDS:
        return "update"
    return "check" if trigger.data.get("kind") == "check" else "overdue"


def speaks_as(trigger: Happened, history: History, policy: MessagePolicy) -> MessageKind | None:
    """``overdue_kind``, except that after letters enough without news a person is to get in touch: ``person``.

    That is said once of a silence; the letters after it own up to what has not come of it.
    """
    kind = overdue_kind(trigger)
    enough = kind == "update" and 0 < policy.most_silent <= silences(history)
    no_more = not history.open or has_it_back(history) or is_done_at_home(history) or person_announced(history)
    return "person" if enough and not no_more else kind


def outlives_the_order(trigger: Happened, kind: MessageKind, history: History) -> bool:
    """Whether it may be told of an order that is closed: whether all is well, that an answer to her is late, and that
    what was given up is, on its way home."""
    late = trigger.data.get("kind")
    goes_home = late in ("forward", "receive") and history.outcome in GIVEN_BACK
    return kind == "check" or (kind == "overdue" and (late == "answer" or goes_home))


def overdue_speaks(
    trigger: Happened, kind: MessageKind, history: History, policy: MessagePolicy, now: datetime
) -> SuppressReason | None:
    """None if the commitment that ``trigger`` is about is worth a message now, otherwise why it is not."""
    owed = history.commitment(str(trigger.data.get("commitment")))
    if owed is None or owed.state != "open":
        return "met"
    if owed.kind == "answer" and role_of(owed.owner) != "customer" and role_of(owed.owed_to) != "customer":
        return "not_hers"
    if owed.kind == "receive" and arrived_since(history, owed.opened_at):
        return "met"
    if _has_moved(owed, trigger):
        return "overtaken"
    if owed.kind == "return" and _is_reminded_later(history, now):
        return "overtaken"
    # No milestone says what became of her question.
    if not _is_her_answer(owed) and _milestone_speaks(trigger, history, policy, now):
        return "overtaken"
    if kind in ("update", "person", "check") and (
        _others_wait(trigger, owed, history, now) or will_be_told(history, trigger, now) or is_left_in_peace(history)
    ):
        return "overtaken"
    if kind in ("update", "person") and trigger.name == OVERDUE and _just_heard(history, now):
        return "overtaken"
    if kind == "overdue" and _knows_that_it_stalls(owed, history):
        return "overtaken"
    if kind == "check" and was_asked_at_home(history):
        return "overtaken"
    if kind == "check" and any(told.at is not None and told.at >= (owed.due_at or now) for told in history.sent):
        return "overtaken"  # what was reported late has only just been told: asking is for a person now
    return "overtaken" if _another_is_late(trigger, kind, history, now) else None


def _has_moved(owed: Owed, trigger: Happened) -> bool:
    """Whether there is a later date since: a promise, another window, a closure."""
    due = trigger.data.get("due")
    return due is not None and owed.due_at is not None and owed.due_at > moment(due)


def _is_her_answer(owed: Owed) -> bool:
    return owed.kind == "answer" and role_of(owed.owed_to) == "customer"


def _is_reminded_later(history: History, now: datetime) -> bool:
    """Whether what was urgent lies ready for her, and she has the date of the next reminder: the shop may be closed."""
    return history.is_hurried and history.named is not None and history.named > now and lies_ready(history)


def _milestone_speaks(trigger: Happened, history: History, policy: MessagePolicy, now: datetime) -> bool:
    speaking = milestone(history, now - policy.stale_after)
    if speaking is None:
        return False
    status = history.status_of(told_as(history, speaking))
    if status == "planned" or (status is None and speaking.fact.position > history.last_planned):
        return True
    return status is not None and speaking.fact.place_in_time > trigger.place_in_time


def _others_wait(trigger: Happened, owed: Owed, history: History, now: datetime) -> bool:
    """Whether anything else is on its way to her.

    What an earlier cue was to send, and is still here, is no reason to be silent: the later one has the later date.
    """
    for told in history.pending:
        cause = history.find(*told.cause)
        if cause is not None and _waits_for_its_hour(cause, now):
            continue
        if cause is None or cause.name != NUDGED or cause.data.get("commitment") != owed.id:
            return True
        if cause.position > trigger.position:
            return True
    return False


def _waits_for_its_hour(late: Happened, now: datetime) -> bool:
    """Whether that an answer is ``late`` fell into her quiet hours: she was told that she has it after them, and hears
    only then that she has not. News that she was promised by an earlier hour does not wait for that."""
    return (late.name, late.data.get("kind")) == (OVERDUE, "answer") and now - late.at > JUST_NOW


def _just_heard(history: History, now: datetime) -> bool:
    """Whether she was told how it stands a moment ago, and nothing has happened since."""
    last = last_of_others(history)
    return any(
        told.kind in ("update", "person") and told.at is not None and told.at > now - _A_MOMENT and told.position > last
        for told in history.sent
    )


def _knows_that_it_stalls(owed: Owed, history: History) -> bool:
    """Whether she has read since it fell due that there is nothing new (or of what was not sent on, that), and by when
    she hears more: of a step that she is to hear of only some days later, that says it all."""
    last = last_of_others(history)
    return (
        owed.due_at is not None
        and not _is_her_answer(owed)
        and (owed.kind == "forward" or silences(history) > 0)
        and any(
            told.kind in ("update", "person") and told.at is not None and told.at > owed.due_at and told.position > last
            for told in history.sent
        )
    )


def _another_is_late(trigger: Happened, kind: MessageKind, history: History, now: datetime) -> bool:
    for other in history.facts:
        if other.name != OVERDUE or other == trigger or overdue_kind(other) != "overdue":
            continue
        if kind != "overdue" and _waits_for_its_hour(other, now):
            continue
        if kind == "overdue" and other.place_in_time < trigger.place_in_time:
            continue
        owed = history.commitment(str(other.data.get("commitment")))
        told = history.status_of(message_id(history.named_by(other), other.source, other.id, "overdue"))
        will_speak = told == "planned" or (told is None and other.position > history.last_planned)
        if owed is not None and owed.state == "open" and will_speak and not _knows_that_it_stalls(owed, history):
            return True
    return False
