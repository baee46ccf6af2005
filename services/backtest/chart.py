"""The picture of a backtest for whoever runs the business: the silence before and with it, and where it stalls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from events.party import name_of, role_of
from services.backtest.report import Stall
from services.backtest.run import Backtest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The endings that a picture's file may have.
ENDINGS: Final = (".png", ".svg")

_BEFORE, _WITH, _BAR, _QUIET = "#b5483a", "#1f6f8b", "#c98a2b", "#666666"
_DAY: Final = 24 * 3_600_000_000
_LANES: Final = 10
_LONGEST_NAME: Final = 34
#: Where the axis of days has its marks, in days, and what stands there.
_MARKS: Final = {
    1 / 24: "1 hour",
    0.25: "6 hours",
    1: "1 day",
    3: "3 days",
    7: "1 week",
    30: "1 month",
    91: "3 months",
    365: "1 year",
    1825: "5 years",
}
_WORDS: Final = {
    "receive": "say that it came in",
    "forward": "send it on",
    "diagnose": "say what is wrong",
    "repair": "repair it",
    "return": "bring it back",
    "cover": "say who pays",
    "part": "get the part",
    "answer": "answer",
    "visit": "come by",
    "promise": "keep a promise",
}


def draw(found: Backtest, file: Path) -> None:
    """Write the picture, a PNG or SVG by the file's ending. Raises OSError if it cannot be written."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Texts stay texts in an SVG, and the same report gives the same file.
    with mpl.rc_context({"font.size": 10, "svg.fonttype": "none", "svg.hashsalt": "repairchain"}):
        figure = Figure(figsize=(11, 9.5), layout="constrained")
        FigureCanvasAgg(figure)
        figure.get_layout_engine().set(hspace=0.06, h_pad=0.15)  # type: ignore[union-attr,call-arg]
        above, below = figure.subplots(2, 1, height_ratios=[3, 2.6])
        # Over the whole figure: long names below leave little room over the axes.
        figure.suptitle(_headline(found), x=0.01, ha="left", fontsize=14)
        _draw_silence(above, found)
        _draw_stalls(below, found.stalls)
        metadata = {"Date": None} if file.suffix.lower() == ".svg" else {"Software": None}
        figure.savefig(file, dpi=150, facecolor="white", metadata=metadata)


def _draw_silence(axes: Axes, found: Backtest) -> None:
    before, afterwards = found.longest_before / _DAY, found.longest_with / _DAY
    top = max(float(np.max(before, initial=1)), float(np.max(afterwards, initial=1))) * 1.4
    lowest = 1 / 24
    was = "As it was" if found.report.silence.contacts else "As it was (the log tells of no word to customers)"
    for days, colour, name in ((before, _BEFORE, was), (afterwards, _WITH, "With this policy")):
        places, shares = _share_without_news(days, lowest, top)
        axes.step(places, shares, where="post", color=colour, linewidth=2.4, label=name)
    places, shares = _share_without_news(before, lowest, top)
    _, others = _share_without_news(afterwards, lowest, top, places)
    axes.fill_between(places, shares, others, where=shares > others, step="post", color=_BEFORE, alpha=0.08)
    axes.set_xscale("log")
    axes.set_xlim(lowest, top)
    highest = min(20 * int(_share(before, lowest) // 20 + 1), 100)
    axes.set_ylim(0, highest)
    marks = [day for day in _MARKS if day <= top]
    axes.set_xticks(marks, [_MARKS[day] for day in marks])
    axes.set_xticks([], minor=True)
    axes.set_yticks(range(0, highest + 1, 20), [f"{share}%" for share in range(0, highest + 1, 20)])
    axes.set_xlabel("The longest time that the customer heard nothing")
    axes.set_ylabel("Share of orders with a silence at least that long")
    axes.legend(frameon=False, loc="upper right", fontsize=11)
    axes.text(0, 1.03, _below_headline(found, before, afterwards), transform=axes.transAxes, color=_QUIET, va="bottom")
    _plain(axes, "y")


def _headline(found: Backtest) -> str:
    silence = found.report.silence
    before, afterwards = (_spoken(each.longest.max or 0) for each in (silence.before, silence.with_policy))
    return f"Longest silence for a customer: {before} as it was, {afterwards} with this policy"


def _below_headline(found: Backtest, before: Any, afterwards: Any) -> str:
    log = found.report.log
    longer = _share(before, float(np.max(afterwards, initial=0)), strictly=True)
    return (
        f"{log.orders:,} orders, {log.first_at:%B %Y} to {log.last_at:%B %Y}.\n"
        f"In {longer:.0f}% of them the customer waited longer for news than anybody would with this policy."
    )


def _spoken(hours: float) -> str:
    """About how long, in words."""
    for unit, name in ((365.25 * 24, "year"), (24, "day")):
        if hours >= 2 * unit:
            count = round(hours / unit, 1 if unit > 24 else None)
            return f"{count:g} {name}s"
    return f"{hours:.0f} hour{'' if round(hours) == 1 else 's'}"


def _share_without_news(days: Any, lowest: float, top: float, at: Any = None) -> tuple[Any, Any]:
    """Which share (percent) of the orders had a silence of at least so many days, for many lengths of days."""
    places = np.geomspace(lowest, top, 600) if at is None else at
    ordered = np.sort(days)
    at_least = len(ordered) - np.searchsorted(ordered, places, side="left")
    return places, 100 * at_least / max(len(ordered), 1)


def _share(days: Any, least: float, *, strictly: bool = False) -> float:
    """Which share (percent) of the orders had a silence of at least, or of more than, so many days."""
    enough = days > least if strictly else days >= least
    return 100 * float(np.count_nonzero(enough)) / max(len(days), 1)


def _draw_stalls(axes: Axes, stalls: Sequence[Stall]) -> None:
    shown = [stall for stall in stalls if stall.overdue and role_of(stall.owner) != "customer"][:_LANES]
    axes.set_title("Where it stalls most often", loc="left", fontsize=14)
    if not shown:
        axes.text(0.5, 0.5, "Nothing was ever late", ha="center", va="center", transform=axes.transAxes, color=_QUIET)
        axes.set_axis_off()
        return
    places = np.arange(len(shown))[::-1]
    axes.barh(places, [stall.overdue for stall in shown], color=_BAR, height=0.68)
    axes.set_yticks(places, [_lane(stall) for stall in shown])
    most = max(stall.overdue for stall in shown)
    for place, stall in zip(places, shown, strict=True):
        half = _spoken(stall.overdue_hours.p50 or 0)
        text = f"{stall.overdue:,} of {stall.opened:,} late, half by {half} or more"
        axes.text(stall.overdue + most * 0.01, place, text, va="center", color=_QUIET, fontsize=9)
    axes.set_xlim(0, most * 1.6)
    axes.set_xlabel("How many times it was late")
    _plain(axes, "x")
    axes.grid(False)


def _lane(stall: Stall) -> str:
    who = _named(stall.owner) if stall.from_party is None else f"{_named(stall.from_party)} → {_named(stall.owner)}"
    return f"{who}: {_WORDS.get(stall.kind, stall.kind)}"


def _named(party: str) -> str:
    # A dollar sign would begin a formula.
    name = name_of(party).replace("$", r"\$")
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _plain(axes: Axes, along: str) -> None:
    """Only the lines that help to read."""
    for side in ("top", "right", "left" if along == "y" else "bottom"):
        axes.spines[side].set_visible(False)
    axes.grid(axis=along, color="#dddddd", linewidth=0.8)  # type: ignore[arg-type]  # "x" or "y"
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=7)
