"""Draws what a command would print, as text of a given width, and compares it with the drawings kept in golden/.

When a drawing is meant to change: ``python -m tests.cli.drawing`` draws all of them anew; look at the difference.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType

from cli.checks import Check
from cli.counting import Count, coming_holidays, count
from cli.explaining import Explained, explain_all
from cli.inforce import Closure, InForce
from cli.promises import figures
from cli.render import (
    checks,
    counts,
    explained,
    facts,
    imported,
    ledger,
    messages,
    opening,
    order,
    promises,
    receipts,
    rejected,
    tables,
    timeline,
    today,
    verdict,
)
from cli.render.moments import Moments
from projections.calendar import Calendar
from projections.policy import Amount, Policy
from services.importing import ImportReport
from services.submission import PublishReport, Receipt, Submission
from tests.cli import examples

GOLDEN = Path(__file__).parent / "golden"
MOMENTS = Moments(examples.NOW, ZoneInfo("Europe/Amsterdam"))

Parts = Iterable[RenderableType]

DIFFERENCES = [
    ("orders", "live", "{'order_id': W-1, 'status': ready}"),
    ("orders", "rebuild", "{'order_id': W-1, 'status': closed}"),
]
CHECKS = [
    Check("Python", True, "3.12.1"),
    Check("Server", None, "none runs on .repairchain; 'repairchain up' starts it"),
    Check("Credentials", False, "others may read .repairchain/credentials", "chmod -R go= .repairchain/credentials"),
]


#: When the importer is closed besides.
STOCKTAKING = Closure(examples.moment("2026-12-28T11:00:00Z"), examples.moment("2026-12-29T23:00:00Z"), "stocktaking")
CLOSED = [{"party": "importer:noord", "from": "2026-12-28T11:00:00Z", "until": "2026-12-29T23:00:00Z", "reason": None}]


@cache  # not before it is drawn: each process that collects the tests imports this
def _in_force() -> InForce:
    """What the importer keeps to."""
    policy = Policy.parse(
        """
[[override]]
party = "importer:noord"
from = "retailer:juno"
kind = "forward"
allow = "1 working day"
[calendars.noord]
parties = ["importer:noord"]
holidays = "NL"
saturday = "9:00-12:30"
"""
    )
    return InForce(policy, "2026-11-01T08:00:00Z")


def _noord() -> Calendar:
    return _in_force().policy.calendar_of("importer:noord")


def _counted(amount: str) -> Count:
    return count(_noord(), examples.moment("2026-12-24T15:30:00Z"), Amount.parse(amount), [STOCKTAKING])


def _calendars() -> list[tuple[str | None, Calendar, list[tuple[date, str | None]]]]:
    return [
        (None, _in_force().policy.calendar, []),
        ("importer:noord", _noord(), coming_holidays(_noord(), examples.NOW.date(), 60)),
    ]


def _explained() -> list[Explained]:
    return list(explain_all(examples.ORDER, examples.COMMITMENTS["commitments"], _in_force(), {}))


def _import() -> tuple[ImportReport, PublishReport]:
    """A log of which two rows and a fact could not be used, and what the chain said to the rest."""
    read, published = ImportReport(rows=7, cases=2, facts=5), PublishReport()
    read.facts_by_type.update({"order.opened": 2, "item.handed_over": 3})
    read.skip_row("log.csv", 3, "'yesterday' is no time")
    read.leave_fact_out("log.csv", 5, "it names no party")
    read.skip_row("log.csv", 6, "it names no party")
    for outcome in ("accepted", "accepted", "duplicate", "rejected"):
        problem = examples.PROBLEM if outcome == "rejected" else None
        submission = Submission("retailer", "juno", {})
        published.count(submission, Receipt(submission.party, "e", outcome, problem=problem))
    return read, published


DRAWINGS: dict[str, tuple[int, Callable[[], Parts]]] = {
    "timeline-80": (80, lambda: timeline.timeline(examples.TIMELINE, MOMENTS)),
    "timeline-120": (120, lambda: timeline.timeline(examples.TIMELINE, MOMENTS)),
    "timeline-raw-120": (120, lambda: timeline.timeline(examples.TIMELINE, MOMENTS, raw=True)),
    "status-80": (80, lambda: [order.order_panel(examples.ORDER, MOMENTS)]),
    "status-parcel-80": (80, lambda: [order.order_panel(examples.PARCEL, MOMENTS)]),
    "status-forgotten-80": (80, lambda: [order.order_panel(examples.FORGOTTEN, MOMENTS)]),
    "status-closed-80": (80, lambda: [order.order_panel(examples.CLOSED, MOMENTS)]),
    "orders-80": (80, lambda: tables.orders(examples.ORDERS, MOMENTS, offset=20)),
    "lanes-80": (80, lambda: tables.lanes(examples.LANES, MOMENTS)),
    "commitments-80": (80, lambda: ledger.commitments(examples.COMMITMENTS, MOMENTS)),
    "commitments-order-80": (80, lambda: ledger.commitments(examples.OF_ONE_ORDER, MOMENTS)),
    "commitments-forgotten-80": (80, lambda: ledger.commitments(examples.OF_ONE_FORGOTTEN, MOMENTS)),
    "stalled-80": (80, lambda: ledger.stalled(examples.STALLED, MOMENTS)),
    "ball-80": (80, lambda: ledger.ball(examples.BALL, MOMENTS)),
    "ball-party-80": (80, lambda: ledger.ball(examples.WORK_LIST, MOMENTS)),
    "today-80": (80, lambda: today.briefing(examples.LIST, MOMENTS)),
    "today-nobody-80": (80, lambda: today.briefings(examples.LISTS)),
    "promises-80": (
        80,
        lambda: promises.promises(examples.PROMISES["promises"], figures(examples.PROMISES["promises"]), MOMENTS, 5),
    ),
    "calendar-80": (80, lambda: opening.opening(_calendars(), CLOSED, MOMENTS.now)),
    "calendar-check-80": (80, lambda: opening.counting("importer:noord", _noord(), _counted("5 working days"))),
    "calendar-check-clock-80": (80, lambda: opening.counting("importer:noord", _noord(), _counted("24 hours"))),
    "explained-80": (80, lambda: explained.explained(examples.ORDER, _in_force(), _explained(), MOMENTS)),
    "parties-80": (80, lambda: tables.parties(examples.PARTIES, MOMENTS)),
    "messages-80": (80, lambda: messages.messages(examples.MESSAGES, MOMENTS)),
    "stats-80": (80, lambda: counts.stats(examples.STATS)),
    "receipts-80": (80, lambda: receipts.receipts(examples.RECEIPTS, MOMENTS)),
    "rejected-80": (
        80,
        lambda: rejected.listed(examples.REJECTED_LIST, MOMENTS),
    ),
    "rejected-one-80": (80, lambda: rejected.one(examples.REJECTED, MOMENTS)),
    "rejected-faulty-80": (80, lambda: rejected.one(examples.FAULTY, MOMENTS)),
    "rejected-version-80": (80, lambda: rejected.one(examples.NEWER, MOMENTS)),
    "rejected-unreadable-80": (80, lambda: rejected.one(examples.UNREADABLE, MOMENTS)),
    "facts-80": (80, lambda: [facts.fact_line(at, payload, MOMENTS) for at, payload in examples.FACTS]),
    "checks-80": (80, lambda: checks.checks(CHECKS)),
    "imported-80": (80, lambda: imported.imported(*_import())),
    "verdict-80": (80, lambda: verdict.differences(41, DIFFERENCES * 11)),
    "verdict-equal-80": (80, lambda: verdict.differences(41, [])),
}


def draw(parts: Parts, width: int = 80) -> str:
    """What a terminal of that width would show, without colours."""
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)
    return "".join(line.rstrip() + "\n" for line in file.getvalue().splitlines())


def drawing(name: str) -> str:
    """The drawing called ``name``, as it is now."""
    width, parts = DRAWINGS[name]
    return draw(parts(), width)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for each in DRAWINGS:
        (GOLDEN / f"{each}.txt").write_text(drawing(each), encoding="utf-8")
