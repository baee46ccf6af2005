"""What the demo says beside the letters is worked out from the story, whatever that is."""

from __future__ import annotations

from contextlib import nullcontext
from io import StringIO
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest
from rich.console import Console

from cli.render.moments import Moments
from cli.render.order import _told
from cli.storyteller import Storyteller
from services.answering import NoAnswerError, QuestionError
from services.simulation import Simulation
from services.story import AMSTERDAM, IMPORTER, ORDER, SHOP
from tests.scenarios.stage import moment


class Told:
    """A chain that answers with one timeline."""

    def __init__(self, *entries: tuple[str, str, dict[str, Any]]) -> None:
        self.entries = [
            {"position": place, "occurred_at": moment(at).isoformat(), "type": name, "data": data}
            for place, (at, name, data) in enumerate(entries, 1)
        ]

    async def ask(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        assert (name, args) == ("timeline", {"order": ORDER})
        return {"entries": self.entries}


async def said_of(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str, dict[str, Any]]) -> str:
    out = Console(file=StringIO(), width=400)
    chain = cast("Simulation", Told(*entries))
    teller = Storyteller(chain, out, 0.0, Moments(moment("2026-07-01 09:00"), AMSTERDAM), ORDER)
    monkeypatch.setattr(teller, "_message", lambda at, data: None)
    await teller.tell_what_happened(moment("2026-08-31 09:00"))
    return cast("StringIO", out.file).getvalue()


SENT = ("2026-07-17 10:00", "message.sent", {"next_news_by": "2026-08-03T17:00:00+02:00"})


async def test_how_long_she_has_heard_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    cue = ("2026-07-31 15:00", "commitment.nudged", {"kind": "update", "owed_by": SHOP, "due": ""})
    said = await said_of(monkeypatch, SENT, cue)
    assert "last heard from us on Fri 17 Jul 10:00, 14 days ago, and was promised news by Mon 3 Aug 17:00." in said
    late = ("2026-07-17 16:00", "commitment.overdue", {"kind": "update", "owed_by": SHOP})
    said = await said_of(monkeypatch, (SENT[0], SENT[1], {}), late)
    assert "The customer last heard from us on Fri 17 Jul 10:00. She hears from us now." in said


async def test_since_when_she_has_it_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    back: tuple[str, str, dict[str, Any]] = ("2026-08-12 09:30", "item.returned", {})
    check = ("2026-08-14 16:00", "commitment.overdue", {"kind": "check", "owed_by": SHOP})
    assert "She has had her watch back since Wed 12 Aug 09:30." in await said_of(monkeypatch, back, check)


async def test_it_is_the_watch_that_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    due = "2026-07-14T16:00:00+02:00"
    cue = ("2026-07-14 12:48", "commitment.nudged", {"kind": "receive", "owed_by": IMPORTER, "due": due})
    assert "is reminded to say that the watch came in, by Tue 14 Jul 16:00." in await said_of(monkeypatch, cue)
    late = ("2026-07-20 12:48", "commitment.overdue", {"kind": "forward", "owed_by": IMPORTER})
    assert "Lowlands Watch Import has not sent the watch on, and should have by now." in await said_of(
        monkeypatch, late
    )


def test_a_question_is_asked_and_not_told() -> None:
    order = {"last_told_at": "2026-08-14T14:00:00Z", "last_told_kind": "check"}
    ((_, text),) = _told(order, Moments(moment("2026-08-17 12:00"), AMSTERDAM))
    assert text.plain.startswith("was asked whether all is well on Fri 14 Aug 16:00")


@pytest.mark.parametrize(
    ("trouble", "told"), [(QuestionError("there is no such order"), True), (NoAnswerError("away"), False)]
)
async def test_only_that_there_is_no_order_yet_is_passed_over(trouble: Exception, told: bool) -> None:
    chain = cast("Simulation", Mock(ask=AsyncMock(side_effect=trouble)))
    teller = Storyteller(chain, Console(file=StringIO()), 0.0, Moments(moment("2026-07-01 09:00"), AMSTERDAM), ORDER)
    with nullcontext() if told else pytest.raises(type(trouble)):
        await teller.tell_what_happened(moment("2026-07-01 09:00"))
