"""How the demo is told, as it unfolds and in the end."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.render.moments import Moments, parse
from cli.render.plain import many
from cli.workdays import add_working_days

if TYPE_CHECKING:
    from rich.console import Console

    from services.simulation import Simulation

#: Longer lines are hard to read (characters).
_LETTER: Final = 84
#: How it went for the customer from whose account the story was made.
_IN_REAL_LIFE: Final = "In real life, without this: no message in six weeks, and five contacts of hers."


class Storyteller:
    """Prints the story as it unfolds: steps of the parties, the passing of time, what is overdue, every message."""

    def __init__(self, chain: Simulation, out: Console, pace: float, moments: Moments, order: str) -> None:
        self._chain = chain
        self._out = out
        self._pace = pace
        self._moments = moments
        self._order = order
        self._seen = 0
        self._last: datetime | None = None
        #: When the customer last heard from us, the next news that she was promised, and since when she has it back.
        self._told: tuple[datetime, datetime | None] | None = None
        self._returned: datetime | None = None

    async def introduce(self) -> None:
        from services.story import IMPORTER, REPAIRER, SHOP

        self._line(f"The watch. A shop, {_name_of(SHOP)}, an importer, {_name_of(IMPORTER)},", "bold")
        self._line(f"and a repairer, {_name_of(REPAIRER)}, all invented;", "bold")
        self._line("real services, and a clock that runs fast.", "bold")
        self._line("What is framed is the e-mail that the customer gets, and when it leaves:", "dim")
        self._line("mere progress waits six minutes for what else there may be to tell.", "dim")
        await self._pause()

    async def tell_step(self, at: datetime, story: str) -> None:
        self._pass_time(at)
        self._line(f"{self._moments.clock(at)}  {story}", "", hang=7)
        await self._pause()

    async def tell_what_happened(self, until: datetime) -> None:
        """Print what the chain did by itself since the last look."""
        from services.answering import QuestionError

        try:
            timeline = await self._chain.ask("timeline", {"order": self._order})
        except QuestionError:
            if self._seen:
                raise
            return  # the order is not opened yet
        for entry in timeline["entries"]:
            if entry["position"] <= self._seen:
                continue
            self._seen = entry["position"]
            moment = parse(entry["occurred_at"]) or until
            if entry["type"] == "commitment.overdue":
                self._pass_time(moment)
                self._overdue(moment, entry["data"])
                await self._pause()
            elif entry["type"] == "commitment.nudged":
                self._pass_time(moment)
                self._nudged(moment, entry["data"])
                await self._pause()
            elif entry["type"] == "message.sent":
                self._pass_time(moment)
                self._message(moment, entry["data"])
                self._told = moment, parse(entry["data"].get("next_news_by"))
                await self._pause()
            elif entry["type"] == "item.returned":
                self._returned = moment

    def _overdue(self, moment: datetime, data: dict[str, Any]) -> None:
        from cli.render.owed import has_not

        who = _name_of(data["owed_by"])
        if data["kind"] == "receive":
            said = f"{who} should have received the watch by now, and has not said so. It is told, and so is the shop."
        elif data["kind"] == "update":
            said = f"{self._silence(moment)} She hears from us now."
        elif data["kind"] == "check":
            since = f" since {self._moments.at(self._returned)}" if self._returned else ""
            said = f"She has had her watch back{since}. She is asked whether all is well."
        else:
            said = (
                f"{_of_the_watch(has_not(who, data['kind']))}, and should have by now. It is told, and so is the shop."
            )
        self._line(f"{self._moments.clock(moment)}  {said}", "bold yellow", hang=7)

    def _nudged(self, moment: datetime, data: dict[str, Any]) -> None:
        from cli.render.owed import to_do

        if data["kind"] == "update":
            said = f"{self._silence(moment)} She hears from us before she may ask."
        else:
            by, task = self._moments.text(data["due"]), _of_the_watch(to_do(data["kind"]))
            said = f"{_name_of(data['owed_by'])} is reminded to {task}, by {by}."
        self._line(f"{self._moments.clock(moment)}  {said}", "yellow", hang=7)

    def _silence(self, moment: datetime) -> str:
        """How long she has heard nothing, and by when she was promised news."""
        if self._told is None:
            return "The customer has heard nothing yet."
        last, promised = self._told
        days = (self._moments.local(moment).date() - self._moments.local(last).date()).days
        ago = f", {many(days, 'day')} ago" if days else ""
        word = f", and was promised news by {self._moments.at(promised)}" if promised else ""
        return f"The customer last heard from us on {self._moments.at(last)}{ago}{word}."

    def _message(self, moment: datetime, data: dict[str, Any]) -> None:
        from rich.panel import Panel
        from rich.text import Text

        letter = _letter(self._chain.settings.outbox_folder, data["message"])
        text = Text(letter or data["body"])
        title = Text(f" {data['subject']} ", style="bold")
        panel = Panel(
            text,
            title=title,
            title_align="left",
            subtitle=Text(f" {self._moments.at(moment)} "),
            border_style="cyan",
            width=min(self._out.width - 7, _LETTER),
        )
        from rich.padding import Padding

        self._out.print(Padding(panel, (0, 0, 0, 7)))

    def _pass_time(self, moment: datetime) -> None:
        """A heading for a new day, and what lies between it and the last one."""
        if self._last is None or self._moments.local(self._last).date() != self._moments.local(moment).date():
            between = _between(self._last, moment, self._moments)
            self._out.print()
            if between:
                self._line(f"       {between}", "dim")
            self._line(self._moments.day(moment), "bold cyan")
        self._last = moment

    async def conclude(self, at: datetime) -> None:
        from cli.render.timeline import timeline as rendered

        result = await self._chain.ask("timeline", {"order": self._order})
        await add_working_days(self._chain.operator, result, None, None)
        self._out.print()
        self._out.rule("the same story in brief, as anybody in the chain can ask for it")
        # The letters stand above, each in full.
        for part in rendered(result, Moments(at, self._moments.zone), brief=True):
            self._out.print(part)
        self._out.print()
        started = result["order"]["contacts_started"]
        self._line(f"messages that the customer got: {result['order']['messages_sent']}", "bold")
        self._line(f"contacts the customer had to start: {started}", "bold green" if started == 0 else "bold red")
        self._line(_IN_REAL_LIFE, "dim")
        home, zone = self._chain.settings.home, self._moments.zone  # they print times in the zone of their machine
        self._out.print()
        if shutil.which("repairchain") is None:  # as when make has called it by its path
            self._line(f"First, to have the command on the path: . {_shown(Path(sys.prefix) / 'bin' / 'activate')}", "")
        self._line(f"The e-mails are in {self._chain.settings.outbox_folder}. To look around in this story:", "")
        self._line(f"  TZ={zone} repairchain --home {home} timeline SN-4711", "")
        self._line(f"  TZ={zone} repairchain --home {home} status W-1001 --as-of 2026-07-14T16:30", "")
        self._line("To run a chain of your own: repairchain up (the README says how to go on).", "")

    def _line(self, text: str, style: str, hang: int = 0) -> None:
        from rich.text import Text

        from cli.render.lines import Hanging

        if hang:
            self._out.print(Hanging(Text(text[:hang], style), Text(text[hang:], style), Text(" " * hang)))
        else:
            self._out.print(Text(text, style), soft_wrap=True)

    async def _pause(self) -> None:
        import asyncio

        if self._pace:
            await asyncio.sleep(self._pace)


def _name_of(party: str) -> str:
    """What people call it."""
    from services.story import CARDS

    return str(CARDS.get(party, {}).get("display_name", party))


def _of_the_watch(task: str) -> str:
    """What is owed, of the one thing that this story is about: ``say that the watch came in``."""
    return re.sub(r"\bit\b", "the watch", task, count=1)


def _letter(outbox: Path, message: str) -> str | None:
    """The letter as it was delivered, with the salutation that the log does not hold."""
    from email import message_from_bytes, policy

    for file in outbox.rglob("*.eml"):
        with contextlib.suppress(OSError):
            letter = message_from_bytes(file.read_bytes(), policy=policy.default)
            if message in str(letter["Message-ID"]) or file.stem == message:
                body = letter.get_body(("plain",))
                return None if body is None else str(body.get_content()).strip()
    return None


def _between(last: datetime | None, moment: datetime, moments: Moments) -> str:
    """``6 days pass, with a weekend`` – or nothing, if it is the next day."""
    from services.story import SHOP_CLOSED

    if last is None:
        return ""
    first, end = moments.local(last).date(), moments.local(moment).date()
    days = [first + timedelta(days=number) for number in range(1, (end - first).days)]
    if not days:
        return ""
    weekends = sum(day.weekday() == 5 for day in days)
    closed = sum(SHOP_CLOSED[0].date() <= day < SHOP_CLOSED[1].date() and day.weekday() < 5 for day in days)
    said = f"{len(days)} day{'s' if len(days) > 1 else ''} pass{'' if len(days) > 1 else 'es'}"
    parts = []
    if weekends:
        parts.append("a weekend" if weekends == 1 else f"{weekends} weekends")
    if closed:
        parts.append("the shop's holiday")
    return said + (f": {' and '.join(parts)}" if parts else "")


def _shown(file: Path) -> Path:
    """Below this folder as a reader here would type it."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
