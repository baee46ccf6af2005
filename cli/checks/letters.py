"""Whether letters to customers leave: a mail server that takes none is noticed here, and not half a day later."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cli.checks.check import Check
from cli.render.moments import Moments, parse
from cli.render.plain import many

if TYPE_CHECKING:
    from services.answering import Ask

_NAME: Final = "Letters"
#: A mail server may well ask to come again in some minutes.
_A_WHILE: Final = timedelta(minutes=20)
#: Of so many that wait the oldest orders are looked at.
_WAITING: Final = 100
_ORDERS: Final = 10


async def letters(ask: Ask, now: datetime) -> Check:
    """Asks the running chain for those that were tried a while ago and have come to no end."""
    from services.answering import NoAnswerError, QuestionError

    try:
        waiting = (await ask("pending", {"limit": _WAITING}, None))["pending"]
        orders = list(dict.fromkeys(row["order"] for row in waiting if _since(row["planned_at"], now) > _A_WHILE))
        stories = [await ask("timeline", {"order": order}, None) for order in orders[:_ORDERS]]
    except (NoAnswerError, QuestionError):
        return Check(_NAME, None, "the read models come first")
    named = {str(row["message_id"]) for row in waiting}
    tried = [found for story in stories for found in _first_tries(story, named).values()]
    stuck = [moment for moment in tried if now - moment > _A_WHILE]
    if stuck:
        count = f"{many(len(stuck), 'letter')} tried since {Moments(now).both(min(stuck))}"
        return Check(_NAME, False, f"no channel takes them: {count}", "see what the notifier logs: 'will try again'")
    more = "or more " if len(waiting) == _WAITING else ""
    return Check(_NAME, True, f"{len(waiting)} {more}to leave later" if waiting else "none waits")


def _first_tries(story: dict[str, Any], named: set[str]) -> dict[str, datetime]:
    """When each of the messages that are ``named`` was first handed to a channel."""
    found: dict[str, datetime] = {}
    for entry in story["entries"]:
        message = (entry["data"] or {}).get("message")
        moment = parse(entry["occurred_at"])
        if entry["type"] == "message.attempted" and message in named and moment is not None:
            found[message] = min(moment, found.get(message, moment))
    return found


def _since(iso: object, now: datetime) -> timedelta:
    return now - (parse(iso) or now)
