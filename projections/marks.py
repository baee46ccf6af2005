"""What marks an order's story: the first and the last facts that tell where it stands. orders.sql goes by them.

Of several facts that say a thing the last counts, but of several openings the first to say it is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from projections.custody import STATES, Handoffs
from projections.story import CUSTOMER, Flags, Numbers, Story, chosen

#: The facts that bring about a status, with its word: those of the table `status_of_fact`.
StatusOfFact = dict[str, str]

#: These are about parties or the chain, not about orders.
_ANNOUNCED: Final = ("party.closed", "party.briefed", "policy.adopted", "incident.declared", "incident.resolved")
_MOVES: Final = ("order.opened", "item.handed_over", "item.received", "item.returned")
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
_WAITING: Final = {"customer": "waiting_for_customer", "part": "waiting_for_part"}


@dataclass(frozen=True)
class Agreed:
    """What each order of a story was agreed to be, as places: of the first opening that names it, or -1."""

    opened: Numbers
    accountable: Numbers
    customer: Numbers
    urgency: Numbers
    category: Numbers
    #: Who answers to the customer, as a number in the story's people; -1 for nobody.
    party: Numbers


def agreed_in(story: Story) -> Agreed:
    """What the openings say."""
    opened = story.places("order.opened")

    def first(says: Flags) -> Numbers:
        return story.believed_of_each(opened[says])

    by = story.believed_of_each(opened)
    accountable = first(story.party[opened] >= 0)
    source = np.where(by >= 0, _at(story.source, by), -1)
    return Agreed(
        opened=by,
        accountable=accountable,
        customer=first(story.said("name")[opened]),
        urgency=first(story.word[opened] >= 0),
        category=first(story.topic[opened] >= 0),
        party=np.where(accountable >= 0, _at(story.party, accountable), source),
    )


def marks_of(story: Story, agreed: Agreed, handoffs: Handoffs, statuses: StatusOfFact) -> pa.Table:
    """A row for each order of the story of which more is known than that something was taken back."""
    columns = {
        "first_position": pa.array(story.first_position),
        **_counts(story),
        **_steps(story, statuses),
        **_openings(story, agreed),
        **_turns(story),
        **_told(story),
        **_handed_on(story, handoffs),
    }
    return pa.table(columns).filter(pa.array(_are_orders(story)))


def _are_orders(story: Story) -> Flags:
    # A correction alone makes no order: what it took back was all there was.
    other = np.ones(story.count, np.bool_)
    other[story.places("fact.corrected", *_ANNOUNCED)] = False
    return np.bincount(story.order[other], minlength=story.orders) > 0


def _counts(story: Story) -> dict[str, Any]:
    about_orders = np.ones(story.count, np.bool_)
    about_orders[story.places(*_ANNOUNCED)] = False
    places = np.flatnonzero(about_orders)
    last = np.where(about_orders, story.position, -1)
    return {
        "facts": pa.array(story.count_of_each(places)),
        "known": pa.array(story.count_of_each(places[story.fact[places] >= 0])),
        "first_at": story.moments(story.first_of_each(places)),
        "last_position": pa.array(np.maximum.reduceat(last, story.starts) if story.count else last),
    }


def _steps(story: Story, statuses: StatusOfFact) -> dict[str, Any]:
    """How far it is, and who has it."""
    step = story.last_of_each(story.places(*statuses))
    pauses = story.places("work.paused")
    paused, resumed = story.last_of_each(pauses), story.last_of_each(story.places("work.resumed"))
    moved = story.last_of_each(story.places(*_MOVES))
    done, reopened = story.last_of_each(story.places(*_DONE)), story.last_of_each(story.places("order.reopened"))
    codes = _at(story.fact, moved)
    return {
        "step": chosen([statuses.get(name) for name in story.facts], _at(story.fact, step)),
        "step_at": story.moments(step),
        "is_paused": pa.array(paused > np.maximum(resumed, step)),
        "pause": chosen([_WAITING.get(word) for word in story.words], _at(story.word, paused)),
        "paused_at": story.moments(paused),
        "awaited": _persons(story, story.party, story.last_of_each(pauses[story.party[pauses] >= 0])),
        # No more is to be done since the order was last taken in.
        "is_done": pa.array(done > reopened),
        "hands": story.persons(np.where(_are(story, codes, "item.returned"), story.customer, _at(story.source, moved))),
        "is_handed_over": pa.array(_are(story, codes, "item.handed_over")),
    }


def _openings(story: Story, agreed: Agreed) -> dict[str, Any]:
    """What was agreed on."""
    speak = story.places(*_SPEAK)

    def first(column: str, places: Numbers) -> Any:
        return story.values(column, story.believed_of_each(places[story.said(column)[places]]))

    return {
        "opened_by": _persons(story, story.source, agreed.opened),
        "opened_at": story.moments(story.first_of_each(story.places("order.opened"))),
        "accountable": story.persons(agreed.party),
        "customer": story.values("name", agreed.customer),
        "urgency": story.values("word", agreed.urgency),
        "category": story.values("topic", agreed.category),
        "serial": first("serial", story.places("order.opened")),
        "brand": first("brand", speak),
        "model": first("model", speak),
        "fault_text": first("fault_text", speak),
    }


def _turns(story: Story) -> dict[str, Any]:
    """Whether it is closed, and how often it was taken up again."""
    turn = story.last_of_each(story.places(*_TURNS))
    closes = story.places("order.closed")
    turns = story.places("order.closed", "order.reopened")
    follows = story.order[turns[1:]] == story.order[turns[:-1]]
    is_close = np.zeros(story.count, np.bool_)
    is_close[closes] = True
    reopenings = turns[1:][follows & is_close[turns[:-1]] & ~is_close[turns[1:]]]
    return {
        "is_closed": pa.array(_at(is_close, turn) & (turn >= 0)),
        "turn_at": story.moments(turn),
        "outcome": story.values("word", story.last_of_each(closes[story.word[closes] >= 0])),
        "reopenings": pa.array(story.count_of_each(reopenings)),
    }


def _told(story: Story) -> dict[str, Any]:
    """What she was told, and what she asked."""
    sent, contacts = story.places("message.sent"), story.places("customer.contacted")
    outbound = contacts[story.word[contacts] == story.word_code("outbound")]
    inbound = contacts[story.word[contacts] == story.word_code("inbound")]
    asked, answered = story.places("question.asked"), story.places("question.answered")
    hers = np.array([str(name).startswith(f"{CUSTOMER}:") for name in story.people.to_pylist()], np.bool_)
    asks = _in_order(inbound, asked[hers[story.source[asked]]])
    answers = _in_order(outbound, answered[~hers[story.source[answered]]])
    last_told = story.last_of_each(_in_order(sent[story.word[sent] >= 0], outbound))
    kinds = np.where(_are(story, _at(story.fact, last_told), "message.sent"), _at(story.word, last_told), -1)
    by_contact = np.where(_are(story, _at(story.fact, last_told), "customer.contacted"), len(story.words), kinds)
    return {
        "told_at": story.moments(story.last_of_each(_in_order(sent, outbound))),
        "last_told_kind": chosen([*story.words, "contact"], by_contact),
        "next_news_by": story.values("by_when", story.last_of_each(sent[story.dated[sent]])),
        "messages_sent": pa.array(story.count_of_each(sent)),
        "contacts_started": pa.array(story.count_of_each(asks)),
        # Her first word, our first automatic one, and the first of a person.
        "first_asked_at": story.moments(story.first_of_each(_in_order(story.places("order.opened"), asks))),
        "first_message_at": story.moments(story.first_of_each(sent)),
        "first_answer_at": story.moments(story.first_of_each(answers)),
    }


def _handed_on(story: Story, handoffs: Handoffs) -> dict[str, Any]:
    """How often it was handed on, and where it went at last."""
    place, state = handoffs.place, np.full(story.count, -1)
    state[place] = handoffs.state
    last = story.last_of_each(place)
    named = story.last_of_each(place[story.party[place] >= 0])
    return {
        "handoffs": pa.array(story.count_of_each(place)),
        "ping_pongs": pa.array(story.count_of_each(place[handoffs.ping_pong])),
        "receiver": _persons(story, story.party, named),
        "handoff": chosen(STATES, _at(state, last)),
    }


def _at(values: npt.NDArray[Any], places: Numbers) -> Any:
    """The values at places; -1 (or False) for no place."""
    nothing = np.full(len(places), False if values.dtype == np.bool_ else -1, values.dtype)
    return np.where(places >= 0, values[places], nothing) if len(values) else nothing


def _persons(story: Story, who: Numbers, places: Numbers) -> Any:
    return story.persons(_at(who, places))


def _are(story: Story, codes: Numbers, fact: str) -> Flags:
    same: Flags = codes == (story.facts.index(fact) if fact in story.facts else -2)
    return same


def _in_order(*places: Numbers) -> Numbers:
    return np.sort(np.concatenate(places), kind="stable")
