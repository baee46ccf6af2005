"""What the customer was told, or was to be told. The texts stay in the log; the positions say where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from projections.story import Numbers, Story, chosen

_UNSENT: Final = ("message.failed", "message.unknown", "message.suppressed")
_ENDS: Final = ("message.sent", *_UNSENT)
_FACTS: Final = ("message.planned", "message.attempted", *_ENDS)


@dataclass(frozen=True)
class Messages:
    """Rows of the model `messages`, which takes those that it has of the orders that begin at ``gone`` away first."""

    rows: pa.Table
    gone: list[int]


def messages_since(story: Story, begin: int) -> Messages:
    """The messages that anything is said of at ``begin`` or later in the log; and of orders of which one of those was
    spoken of before, all."""
    places = story.places(*_FACTS)
    spoken, of_message, _, _ = _told_apart(story, places)
    said = story.position[places] >= begin
    are_new, were_there = (np.bincount(of_message[those], minlength=len(spoken)) > 0 for those in (said, ~said))
    anew = np.zeros(story.orders, np.bool_)
    anew[story.order[places[(are_new & were_there)[of_message]]]] = True
    wanted = are_new[of_message] | anew[story.order[places]]
    return Messages(messages_of(story, places[wanted]), story.first_position[anew].tolist())


def messages_of(story: Story, places: Numbers | None = None) -> pa.Table:
    """The rows of the model `messages`: one for each message of each order, or of those that are spoken of at
    ``places``, where all is that is said of them."""
    wanted = None if places is None else np.zeros(story.count, np.bool_)
    if wanted is not None:
        wanted[places] = True

    def places_of(*names: str) -> Numbers:
        found = story.places(*names)
        return found if wanted is None else found[wanted[found]]

    places = places_of(*_FACTS)
    messages, number, ids, size = _told_apart(story, places)
    of_message = np.zeros(story.count, np.int64)
    of_message[places] = number

    def last(among: Numbers) -> Numbers:
        """Of each message, the last of ``among`` that is about it; -1 if none is."""
        found = np.full(len(messages), -1)
        found[of_message[among]] = among
        return found

    def latest(*names: str) -> Any:
        """Of each message, where in the log the last of these facts came in."""
        among = places_of(*names)
        found = last(among[np.argsort(story.position[among], kind="stable")])
        return pa.array(story.position[found] if story.count else found, mask=found < 0)

    def count(name: str) -> Any:
        return pa.array(np.bincount(of_message[places_of(name)], minlength=len(messages)))

    planned, sent = places_of("message.planned"), places_of("message.sent")
    ended = last(places_of(*_ENDS))
    # A message is of one kind; where facts of it name several, the first in its story counts.
    kind = last(places[story.word[places] >= 0][::-1])
    return pa.table(
        {
            "first_position": pa.array(story.first_position[messages // size]),
            "message_id": chosen(ids, messages % size - 1),
            "kind": story.values("word", kind),
            # The last word counts; plans and attempts are no word about how it ended.
            "status": chosen(
                [*(name.partition(".")[2] for name in story.facts), "planned"],
                np.where(ended >= 0, story.fact[ended], len(story.facts)) if story.count else ended,
            ),
            "planned_at": story.moments(last(planned[::-1])),
            "sent_at": story.moments(last(sent)),
            "next_news_by": story.values("by_when", last(places[story.dated[places]])),
            "letter": story.values("topic", last(_by_letter(story, sent))),
            "attempts": count("message.attempted"),
            "sendings": count("message.sent"),
            "planned_position": latest("message.planned"),
            "sent_position": latest("message.sent"),
            "reason_position": latest(*_UNSENT),
        }
    )


def _told_apart(story: Story, places: Numbers) -> tuple[Numbers, Numbers, Any, int]:
    """The messages that are spoken of at those places, as numbers, and which of them each place is about. A number is
    that of the order times the size, which is given last, and that of the name, from 1 on; 0 is none."""
    ids: Any = story.values("name", places).dictionary_encode()
    codes = np.asarray(ids.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    size = len(ids.dictionary) + 1
    messages, number = np.unique(story.order[places] * size + codes + 1, return_inverse=True)
    return messages, number, ids.dictionary, size


def _by_letter(story: Story, sent: Numbers) -> Numbers:
    """Those of ``sent`` that name the letter which they went in, in the order of its name."""
    named = sent[story.topic[sent] >= 0]
    if not len(named):
        return named
    order: Any = pc.sort_indices(story.values("topic", named))
    ordered: Numbers = named[order.to_numpy()]
    return ordered
