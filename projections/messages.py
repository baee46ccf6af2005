"""What the customer was told, or was to be told. The texts stay in the log; the positions say where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from projections.story import Numbers, Story, chosen

_UNSENT: Final = ("message.failed", "message.unknown", "message.suppressed")
_ENDS: Final = ("message.sent", *_UNSENT)
_FACTS: Final = ("message.planned", "message.attempted", *_ENDS)


def messages_of(story: Story, firsts: Sequence[int] | None = None) -> pa.Table:
    """The rows of the model `messages`: one for each message of each order, or of those orders that begin there."""
    wanted = None if firsts is None else np.isin(story.first_position, firsts)[story.order]

    def places_of(*names: str) -> Numbers:
        found = story.places(*names)
        return found if wanted is None else found[wanted[found]]

    places = places_of(*_FACTS)
    ids: Any = story.values("name", places).dictionary_encode()
    codes = np.asarray(ids.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    size = len(ids.dictionary) + 1
    messages, number = np.unique(story.order[places] * size + codes + 1, return_inverse=True)
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
            "message_id": chosen(ids.dictionary, messages % size - 1),
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


def _by_letter(story: Story, sent: Numbers) -> Numbers:
    """Those of ``sent`` that name the letter which they went in, in the order of its name."""
    named = sent[story.topic[sent] >= 0]
    if not len(named):
        return named
    order: Any = pc.sort_indices(story.values("topic", named))
    ordered: Numbers = named[order.to_numpy()]
    return ordered
