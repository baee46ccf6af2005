"""Steps put together: how often each kind and each party was late, and whether a rule is too tight or too slack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from events.party import role_of
from services.backtest.ladder import MOST_IDLE, MOST_LATE, Shares, Suggestion, shares_at, suggest
from services.backtest.owed import Micros, Steps
from services.backtest.report import Judged, KindOfStep, Notices, Spread, Stall, Unjudged, Verdict

#: Fewer cases than this say nothing about a rule.
FEWEST_CASES: Final = 30
#: A rule is slack if so few are late, and nine of ten take no more than so much of the time.
_HARDLY_EVER_LATE: Final = 0.03
_SMALL_PART: Final = 0.25

_MICROSECOND: Final = timedelta(microseconds=1)
_HOUR: Final = timedelta(hours=1) // _MICROSECOND

Rows = npt.NDArray[np.intp]


def spread(numbers: Iterable[float] | npt.NDArray[Any], per: int = 1) -> Spread:
    """How numbers are spread, each divided by ``per`` (of lengths in microseconds: _HOUR makes them hours)."""
    found = np.sort(np.asarray(numbers if isinstance(numbers, np.ndarray) else list(numbers)))
    count = len(found)
    if not count:
        return Spread(count=0)

    def at(share: float) -> float:
        # Of an even number the upper middle one, as everywhere (see wait_at in projections/sql/macros.sql).
        return round(float(found[min(int(count * share + 1e-9), count - 1)]) / per, 2)

    return Spread(count=count, p50=at(0.5), p90=at(0.9), p99=at(0.99), max=at(1.0))


def hours(lengths: Iterable[int] | Micros) -> Spread:
    """How lengths in microseconds are spread, in hours."""
    return spread(lengths, _HOUR)


def kinds_of(steps: Steps) -> Iterator[KindOfStep]:
    """Each kind that occurs, the one that is late most often first."""
    found = [KindOfStep(kind=str(key[0]), **_counts(steps, rows)) for key, rows in _by(steps.kind)]
    yield from sorted(found, key=lambda each: (-each.overdue, -each.opened, each.kind))


def stalls_of(steps: Steps) -> list[Stall]:
    """Each kind and lane, the one that is late most often first."""
    found = [
        Stall(kind=str(kind), from_party=come_from, owner=str(owner), **_counts(steps, rows))
        for (kind, come_from, owner), rows in _by(steps.kind, steps.counterpart, steps.owner)
    ]
    return sorted(found, key=lambda each: (-each.overdue, -each.opened, each.kind, each.from_party or "", each.owner))


def _counts(steps: Steps, rows: Rows) -> dict[str, Any]:
    late, idle = steps.late[rows], steps.idle[rows]
    overdue, idles = int(late.sum()), int(idle.sum())
    lengths = (steps.end[rows] - steps.due[rows])[late]
    return {
        "opened": len(rows),
        "done": int(steps.met[rows].sum()),
        "overdue": overdue,
        "idle": idles,
        "idle_share": round(idles / overdue, 4) if overdue else None,
        "overdue_hours": hours(lengths),
    }


def notices_of(steps: Steps, orders: Micros) -> Notices:
    """What parties would have been told of the steps of ``orders`` (all of them, also those without a step)."""
    is_customer = np.array([role_of(str(owner)) == "customer" for owner in steps.owner], np.bool_)
    same = steps.owner == steps.accountable
    told: dict[str, list[Rows]] = {"owner": [], "accountable": [], "person": []}
    for rows, _, tell in steps.levels():
        # Who owes it and answers to the customer as well hears it once.
        twice = same[rows] if "owner" in tell else np.zeros(len(rows), np.bool_)
        told["owner"].append(rows[~is_customer[rows]] if "owner" in tell else rows[:0])
        told["accountable"].append(rows[~twice] if "accountable" in tell else rows[:0])
        told["person"].append(rows if "person" in tell else rows[:0])
    nudged = steps.nudged()
    nudged = nudged[~is_customer[nudged]]
    counts = {whom: sum(map(len, rows)) for whom, rows in told.items()}
    every = np.concatenate([nudged, *(rows for each in told.values() for rows in each)]).astype(np.intp)
    places = np.searchsorted(orders, steps.order[every])
    return Notices(
        total=len(every),
        per_order=spread(np.bincount(places, minlength=len(orders))),
        nudges=len(nudged),
        to_owner=counts["owner"],
        to_accountable=counts["accountable"],
        to_person=counts["person"],
    )


def judged_rules(steps: Steps) -> tuple[list[Judged], list[Unjudged]]:
    """Every rule that has cases enough, and those that have not; by how often it applies."""
    judged: list[Judged] = []
    others: list[Unjudged] = []
    for (rule, kind), rows in _by(steps.rules(), steps.kind):
        cases = _cases(steps, rows)
        if len(cases) >= FEWEST_CASES:
            judged.append(_judge(steps, cases, {"rule": str(rule), "kind": str(kind)}))
        else:
            done = int(steps.met[rows].sum())
            allowed = _allowed(steps, rows)
            others.append(Unjudged(rule=str(rule), kind=str(kind), allowed=allowed, opened=len(rows), done=done))
    judged.sort(key=lambda each: (-each.cases, each.rule))
    others.sort(key=lambda each: (-each.opened, each.rule))
    return judged, others


def judged_lanes(steps: Steps) -> list[Judged]:
    """What each party did under each rule, as far as there are cases enough: those with most needless notices first."""
    found = []
    for (rule, kind, come_from, owner), rows in _by(steps.rules(), steps.kind, steps.counterpart, steps.owner):
        cases = _cases(steps, rows)
        if len(cases) >= FEWEST_CASES:
            named = {"rule": str(rule), "kind": str(kind), "from_party": come_from, "owner": str(owner)}
            found.append(_judge(steps, cases, named))
    return sorted(found, key=lambda each: (-each.idle_share, -each.late_share, -each.cases, str(each.owner)))


def _cases(steps: Steps, rows: Rows) -> Rows:
    return rows[steps.met[rows] & ~steps.promised[rows]]


def _judge(steps: Steps, rows: Rows, named: dict[str, Any]) -> Judged:
    took, allowed = steps.took[rows], steps.allowed[rows]
    days = np.array([terms.day_length // _MICROSECOND for terms in steps.terms], np.int64)[steps.group[rows]]
    now = shares_at(took, allowed)
    suggestion = suggest(took, days, steps.terms[steps.group[rows[0]]].rule.around_the_clock)
    verdict, reason = _verdict(now, float(np.quantile(took / np.maximum(allowed, 1), 0.9)))
    return Judged(
        **named,
        allowed=_allowed(steps, rows),
        cases=len(rows),
        late_share=round(now.late, 4),
        idle_share=round(now.idle, 4),
        typical_hours=hours(took),
        verdict=verdict,
        reason=reason,
        **_suggested(suggestion),
    )


def _suggested(suggestion: Suggestion | None) -> dict[str, Any]:
    if suggestion is None:
        return {"suggestion": None, "suggested_late_share": None, "suggested_idle_share": None}
    late, idle = suggestion.shares
    return {
        "suggestion": str(suggestion.amount),
        "suggested_late_share": round(late, 4),
        "suggested_idle_share": round(idle, 4),
    }


def _allowed(steps: Steps, rows: Rows) -> str:
    return str(steps.terms[steps.group[rows[0]]].rule.amount)


def _verdict(shares: Shares, nine_of_ten: float) -> tuple[Verdict, str]:
    """``nine_of_ten`` is the part of the allowance within which nine of ten steps are done."""
    if shares.idle >= MOST_IDLE:
        return "too tight", f"{shares.idle:.1%} of all steps were done within four hours of the notice anyway"
    if shares.late > MOST_LATE:
        return "rarely kept", f"{shares.late:.1%} of all steps take longer"
    if shares.late <= _HARDLY_EVER_LATE and nine_of_ten <= _SMALL_PART:
        return "too slack", f"nine of ten are done in {nine_of_ten:.0%} of the time: a stall is noticed late"
    return "fits", f"{shares.late:.1%} are late, and {shares.idle:.1%} were done soon after the notice"


def _by(*columns: npt.NDArray[Any]) -> Iterator[tuple[tuple[Any, ...], Rows]]:
    """The rows that have the same values in all columns."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, key in enumerate(zip(*columns, strict=True)):
        groups.setdefault(key, []).append(row)
    for key, rows in groups.items():
        yield key, np.array(rows, np.intp)


def first(rows: Sequence[Any], limit: int) -> tuple[Any, ...]:
    """The first ``limit`` of them."""
    return tuple(rows[:limit])
