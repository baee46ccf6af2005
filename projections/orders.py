"""The model `orders`: where each order stands, who has it, what comes next, and what its customer was told.

It goes by the first and the last facts of an order's story. Of several facts that say a thing the last counts, but of
several openings the first to say it is believed (agreed.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from projections.agreed import Agreed
from projections.custody import MOVES, OPEN, RECEIVED, Handoffs, at_her_home, moves_of_replaced_units, without
from projections.story import CUSTOMER, Flags, Numbers, Story, at, chosen, first_that_is, whole

#: These are about parties or the chain, not about orders.
_ANNOUNCED: Final = ("party.closed", "party.briefed", "policy.adopted", "incident.declared", "incident.resolved")
_MOVES: Final = ("order.opened", *MOVES)
_DONE: Final = ("repair.completed", "repair.failed", "unit.replaced", "quote.declined")
_TURNS: Final = ("order.opened", "order.reopened", "order.closed")
#: What an order's product and fault are taken from.
_SPEAK: Final = (
    "order.opened",
    "order.closed",
    "order.reopened",
    "message.sent",
    "customer.contacted",
    "question.asked",
    "question.answered",
)
_PARTY: Final = re.compile(r"(?:retailer|importer|repairer|customer|chain):")
_CONFIRM: Final = "confirm receipt"


class Status(NamedTuple):
    """What comes next in a status, and who has to do it."""

    next_step: str | None
    owner: str | None


@dataclass(frozen=True)
class Statuses:
    """The tables `statuses` and `status_of_fact`."""

    named: dict[str, Status]
    of_fact: dict[str, str]

    def code(self, name: str) -> int:
        """The number of a status."""
        return list(self.named).index(name)


@dataclass(frozen=True)
class _Standing:
    """By order: the status as a number, the place since which it has it, whether it is open and whether the item is on
    its way; and as people's numbers who has it, to whom it went at last, and who comes next."""

    status: Numbers
    since: Numbers
    closed: Numbers
    open: Flags
    under_way: Flags
    to_confirm: Flags
    holder: Numbers
    receiver: Numbers
    next_owner: Numbers


def orders_of(story: Story, agreed: Agreed, handoffs: Handoffs, statuses: Statuses, subjects: pa.Table) -> pa.Table:
    """The rows of `orders`. ``subjects`` has the id of each order by its first position."""
    about_orders = np.ones(story.count, np.bool_)
    about_orders[story.places(*_ANNOUNCED)] = False
    counted = np.flatnonzero(about_orders)
    ids = _ids(story, subjects)
    stands = _standing(story, agreed, handoffs, statuses, story.first_of_each(counted))
    heading_to = np.where(stands.open & stands.under_way, stands.receiver, -1)
    opened_by = at(story.source, agreed.opened)
    holder, heading_to, accountable, opened_by, next_owner = _persons(
        story, stands.holder, heading_to, agreed.party, opened_by, stands.next_owner
    )
    steps = [*(each.next_step for each in statuses.named.values()), _CONFIRM]
    closes = story.places("order.closed")
    outcome = story.last_of_each(closes[story.word[closes] >= 0])
    sent, opened, speak = story.places("message.sent"), story.places("order.opened"), story.places(*_SPEAK)
    last = np.where(about_orders, story.position, -1)

    def first(column: str, places: Numbers) -> Any:
        return story.values(column, story.believed_of_each(places[story.said(column, places)]))

    columns = {
        "order_id": ids,
        "first_position": pa.array(story.first_position),
        "status": chosen(list(statuses.named), stands.status),
        "open": pa.array(stands.open),
        "since": story.moments(stands.since),
        "holder": holder,
        "heading_to": heading_to,
        "accountable": accountable,
        "customer": story.values("name", agreed.customer),
        "opened_by": opened_by,
        "opened_at": story.moments(story.first_of_each(opened)),
        "closed_at": story.moments(stands.closed),
        "outcome": story.values("word", np.where(stands.open, -1, outcome)),
        "brand": first("brand", speak),
        "model": first("model", speak),
        "serial": first("serial", opened),
        "fault_text": first("fault_text", speak),
        "urgency": story.values("word", agreed.urgency),
        "category": story.values("topic", agreed.category),
        # News is owed beside the work; the next step is what moves the work on, and a receipt that is owed comes first.
        "next_step": chosen(steps, np.where(stands.to_confirm, len(steps) - 1, stands.status)),
        "next_owner": next_owner,
        **_told(story, sent, stands.open),
        "facts": pa.array(story.count_of_each(counted)),
        "handoffs": pa.array(story.count_of_each(handoffs.place)),
        "reopenings": pa.array(story.count_of_each(_reopenings(story))),
        "ping_pongs": pa.array(story.count_of_each(handoffs.place[handoffs.ping_pong])),
        **_asked(story, sent),
        "last_position": pa.array(np.maximum.reduceat(last, story.starts) if story.count else last),
    }
    rows, are_orders = pa.table(columns), _are_orders(story, counted, ids)
    return rows if are_orders.all() else rows.filter(pa.array(are_orders))


def _ids(story: Story, subjects: Any) -> Any:
    """The orders' ids; NULL for one that is not among the subjects."""
    where = pc.index_in(pa.array(story.first_position), value_set=subjects["first_position"])
    return whole(subjects["order_id"]).take(where)


def _are_orders(story: Story, counted: Numbers, ids: Any) -> Flags:
    # A correction alone makes no order: what it took back was all there was.
    other = np.ones(story.count, np.bool_)
    other[story.places("fact.corrected", *_ANNOUNCED)] = False
    found = np.bincount(story.order[other], minlength=story.orders) > 0
    found &= ids.is_valid().to_numpy(zero_copy_only=False)
    # An unknown fact about a party makes no order of the party.
    unknown = found & (story.count_of_each(counted[story.fact[counted] >= 0]) == 0)
    for order in np.flatnonzero(unknown).tolist():
        found[order] = _PARTY.match(ids[order].as_py()) is None
    return found


def _standing(story: Story, agreed: Agreed, handoffs: Handoffs, statuses: Statuses, first: Numbers) -> _Standing:
    """How far it is, and who has it. ``first`` is the first place of each order that is about it."""
    gone = moves_of_replaced_units(story)
    step = story.last_of_each(without(gone, story.places(*statuses.of_fact)))
    pauses = story.places("work.paused")
    paused, resumed = story.last_of_each(pauses), story.last_of_each(story.places("work.resumed"))
    awaited = at(story.party, story.last_of_each(pauses[story.party[pauses] >= 0]))
    moved, replaced = story.last_of_each(without(gone, story.places(*_MOVES))), story.places("unit.replaced")
    done, reopened = story.last_of_each(story.places(*_DONE)), story.last_of_each(story.places("order.reopened"))
    turn = story.last_of_each(story.places(*_TURNS))
    is_closed, is_paused = _are(story, turn, "order.closed"), paused > np.maximum(resumed, step)

    state = np.full(story.count, -1)
    state[handoffs.place] = handoffs.state
    handed = without(gone, handoffs.place)
    handoff = at(state, story.last_of_each(handed))
    receiver = at(story.party, story.last_of_each(handed[story.party[handed] >= 0]))
    is_handed_over = _are(story, moved, "item.handed_over")
    # A handover whose receipt was timed before it has arrived.
    has_arrived = is_handed_over & (handoff == RECEIVED)
    # Another unit took its place before anybody said that it came in, or elsewhere than at her home: that one is with
    # whoever says so.
    swapped = story.last_of_each(replaced)
    is_swapped = swapped > moved
    if is_swapped.any():
        stays = story.count_of_each(at_her_home(story)) > 0
        is_swapped &= (is_handed_over & ~has_arrived) | ((at(story.source, swapped) != agreed.party) & ~stays)
    under_way = is_handed_over & ~has_arrived & ~is_swapped
    hands = np.where(_are(story, moved, "item.returned"), story.customer, at(story.source, moved))
    holder = first_that_is(hands, (has_arrived, receiver), (is_swapped, at(story.source, swapped)))

    code = statuses.code
    brings = np.array([code(statuses.of_fact[name]) if name in statuses.of_fact else -1 for name in story.facts] + [-1])
    by_step = brings[at(story.fact, step)]
    pause = {"customer": code("waiting_for_customer"), "part": code("waiting_for_part")}
    pauses_by = np.array([*(pause.get(word, code("waiting")) for word in story.words), code("waiting")])
    # Back with whoever answers to the customer, and no more is to be done since the order was last taken in.
    is_ready = (holder == agreed.party) & (holder >= 0) & (done > reopened)
    has_come = (by_step == code("received")) | ((by_step == code("in_transit")) & ~under_way)
    status = first_that_is(
        code("received"),
        (is_closed, code("closed")),
        (is_paused, pauses_by[at(story.word, paused)]),
        (step < 0, code("taken_in")),
        (~has_come, by_step),
        (is_ready, code("ready")),
    )
    since = first_that_is(step, (is_closed, turn), (is_paused, paused))

    to_confirm = ~is_closed & (handoff == OPEN)
    owners = np.array([each.owner or "" for each in statuses.named.values()])[status]
    next_owner = first_that_is(
        -1,
        (to_confirm, receiver),
        (owners == "customer", story.customer),
        (owners == "awaited", _or(awaited, holder)),
        (owners == "accountable", _or(agreed.party, holder)),
        (~is_closed, holder),
    )
    return _Standing(
        status=status,
        since=_or(since, first),
        closed=np.where(is_closed, turn, -1),
        open=~is_closed,
        under_way=under_way,
        to_confirm=to_confirm,
        holder=holder,
        receiver=receiver,
        next_owner=next_owner,
    )


def _reopenings(story: Story) -> Numbers:
    """Where orders that were closed are taken up again."""
    turns = story.places("order.closed", "order.reopened")
    is_close = np.zeros(story.count, np.bool_)
    is_close[story.places("order.closed")] = True
    follows = story.order[turns[1:]] == story.order[turns[:-1]]
    reopened: Numbers = turns[1:][follows & is_close[turns[:-1]] & ~is_close[turns[1:]]]
    return reopened


def _told(story: Story, sent: Numbers, is_open: Flags) -> dict[str, Any]:
    """What she was told last."""
    outbound = _contacts(story, "outbound")
    last = story.last_of_each(_in_order(sent[story.word[sent] >= 0], outbound))
    kinds = np.where(_are(story, last, "message.sent"), at(story.word, last), -1)
    kinds = np.where(_are(story, last, "customer.contacted"), len(story.words), kinds)
    return {
        "last_told_at": story.moments(story.last_of_each(_in_order(sent, outbound))),
        "last_told_kind": chosen([*story.words, "contact"], kinds),
        # The last word names no date, whatever an earlier one did.
        "next_news_by": story.values("by_when", np.where(is_open, story.last_of_each(sent), -1)),
    }


def _asked(story: Story, sent: Numbers) -> dict[str, Any]:
    """What she asked, and how she was answered."""
    asked, answered = story.places("question.asked"), story.places("question.answered")
    hers = story.are(CUSTOMER)
    asks = _in_order(_contacts(story, "inbound"), asked[hers[story.source[asked]]])
    answers = _in_order(_contacts(story, "outbound"), answered[~hers[story.source[answered]]])
    return {
        "contacts_started": pa.array(story.count_of_each(asks)),
        "messages_sent": pa.array(story.count_of_each(sent)),
        # Her first word, our first automatic one, and the first of a person.
        "first_asked_at": story.moments(story.first_of_each(_in_order(story.places("order.opened"), asks))),
        "first_message_at": story.moments(story.first_of_each(sent)),
        "first_answer_at": story.moments(story.first_of_each(answers)),
    }


def _contacts(story: Story, direction: str) -> Numbers:
    contacts = story.places("customer.contacted")
    of_direction: Numbers = contacts[story.word[contacts] == story.word_code(direction)]
    return of_direction


def _persons(story: Story, *codes: Numbers) -> list[Any]:
    """Columns of names of people, by their numbers, looked up in one go."""
    names = story.persons(np.concatenate(codes))
    return [names.slice(number * story.orders, story.orders) for number in range(len(codes))]


def _or(places: Numbers, instead: Numbers) -> Numbers:
    return np.where(places >= 0, places, instead)


def _are(story: Story, places: Numbers, fact: str) -> Flags:
    """At which places this is the fact."""
    same: Flags = at(story.fact, places) == (story.facts.index(fact) if fact in story.facts else -2)
    return same


def _in_order(*places: Numbers) -> Numbers:
    return np.sort(np.concatenate(places), kind="stable")
