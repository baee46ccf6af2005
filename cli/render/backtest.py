"""A backtest for people: the silence first, then what stalls, what would have been said, and the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render.lines import Hanging, indented
from cli.render.look import TOLD_WORDS, party, with_parties
from cli.render.moments import span
from cli.render.owed import to_do
from cli.render.plain import clean, many
from cli.render.tables import plain_table
from services.backtest.report import BacktestReport, Judged, Messages, Notices, Silence, Spread, Stall, Unjudged

#: So many rows of a long list are shown; --json has more.
_SHOWN: Final = 10
#: Of fewer orders nobody says what one of ten was like.
_FEW: Final = 10

_VERDICT_STYLES: Final = {"too tight": "yellow", "rarely kept": "red", "too slack": "yellow", "fits": "green"}


def rendered(report: BacktestReport, zone: tzinfo | None) -> Iterator[RenderableType]:
    """The whole report, section by section; days are those of ``zone``, or of this machine where it is None."""
    yield from _about(report, zone)
    yield _title("How long customers heard nothing")
    yield from _silence(report)
    yield _title("Steps that were late")
    yield _kinds(report)
    yield _title("Where it stalls most often")
    yield from _stalls(report.stalls, report.stalls_total)
    yield _title("What would have been said")
    yield from _messages(report.messages)
    yield from _notices(report.notices)
    yield _title("Which rules are too tight or too slack")
    yield from _rules(report.rules, report.rules_not_judged)
    yield from _lanes(report.lanes, report.lanes_total)


def _about(report: BacktestReport, zone: tzinfo | None) -> Iterator[RenderableType]:
    log = report.log
    ends = (moment.astimezone(zone) for moment in (log.first_at, log.last_at))
    first, last = (f"{moment.day} {moment:%B %Y}" for moment in ends)
    yield Text(
        f"{many(log.orders, 'order')}, {many(log.facts, 'fact')}, {many(log.parties, 'party', 'parties')}, "
        f"{first} to {last}",
        style="bold",
    )
    if log.orders_never_closed:
        yield Text(f"{many(log.orders_never_closed, 'order')} never closed")
    yield Text(f"Policy: {clean(report.policy.source)} (digest {report.policy.digest})")
    dropped = {"rows": log.rows_skipped, "facts": log.facts_left_out + log.facts_refused}
    for what, count in dropped.items():
        if count:
            sentence = f"{count:,} {what} could not be used: 'repairchain import --dry-run' names them"
            yield Text(sentence, style="yellow")


def _silence(report: BacktestReport) -> Iterator[RenderableType]:
    columns = ("half", "9 of 10", "99 of 100", "longest")
    table = plain_table("No more than … for", *columns, right=columns)
    silence = report.silence
    for name, gaps in (("as it was", silence.before), ("with this policy", silence.with_policy)):
        table.add_row(Text(f"longest of each order, {name}", style="bold"), *_lengths(gaps.longest))
        table.add_row(Text(f"every silence, {name}"), *_lengths(gaps.every))
    if sentence := _in_a_sentence(silence):
        yield Text(sentence + "\n")
    yield table
    if silence.contacts:
        yield Text(
            f"\nThe log tells of {many(silence.contacts, 'time')} that a customer was told something.", style="dim"
        )
    else:
        yield Text("\nThe log never says that a customer was told anything: all of it counts as silence.", style="dim")


def _in_a_sentence(silence: Silence) -> str | None:
    """What the table comes to, for whoever reads no tables; None where there is no order."""
    before, after = silence.before.longest, silence.with_policy.longest
    half, most, longest, policys = (
        None if hours is None else span(hours * 3600) for hours in (before.p50, before.p90, before.max, after.max)
    )
    if longest is None or policys is None:
        return None
    if before.count < _FEW:
        return f"The longest time that a customer heard nothing was {longest}; with this policy, {policys}."
    return (
        f"In half of the orders the customer once heard nothing for {half} or more, in one of ten for {most} or more; "
        f"the longest silence was {longest}. With this policy it would have been {policys}."
    )


def _kinds(report: BacktestReport) -> Table:
    numbers = ("Begun", "Done", "Late", "Late by: half", "9 of 10", "most", "Needless")
    table = plain_table("Step", "To", *numbers, right=numbers)
    for each in report.kinds:
        table.add_row(
            Text(each.kind, style="bold"),
            Text(to_do(each.kind)),
            *(f"{count:,}" for count in (each.opened, each.done, each.overdue)),
            *_lengths(each.overdue_hours, ends="most"),
            _part(each.idle_share),
        )
    return table


def _stalls(stalls: Sequence[Stall], total: int) -> Iterator[RenderableType]:
    numbers = ("Begun", "Late", "By: half", "9 of 10", "most", "Needless")
    table = plain_table("Who", "Step", *numbers, right=numbers)
    shown = [stall for stall in stalls if stall.overdue][:_SHOWN]
    for stall in shown:
        table.add_row(
            _lane(stall.from_party, stall.owner),
            Text(stall.kind),
            f"{stall.opened:,}",
            f"{stall.overdue:,}",
            *_lengths(stall.overdue_hours, ends="most"),
            _part(stall.idle_share),
        )
    if not shown:
        yield Text("Nothing was ever late.", style="green")
        return
    yield table
    yield Text(
        f"\n{len(shown)} of {many(total, 'lane')}. Needless: the share of the notices after which the step was "
        "done within four hours all the same.",
        style="dim",
    )


def _messages(messages: Messages) -> Iterator[RenderableType]:
    yield Text(f"To customers: {many(messages.total, 'message')}; {_per_order(messages.per_order)}")
    table = plain_table("Because of", "She hears", "Messages", right=("Messages",))
    for each in messages.by_cause:
        table.add_row(Text(each.cause, style="bold"), Text(TOLD_WORDS.get(each.kind, each.kind)), f"{each.count:,}")
    yield table


def _notices(notices: Notices) -> Iterator[RenderableType]:
    told = (
        (notices.nudges, "reminders before something is late"),
        (notices.to_owner, "to whoever owes it"),
        (notices.to_accountable, "to the party that answers to the customer"),
        (notices.to_person, "to its named person"),
    )
    yield Text(f"\nTo parties: {many(notices.total, 'notice')}; {_per_order(notices.per_order)}")
    for count, what in told:
        yield indented(Text(f"{count:,} {what}"), 2)


def _per_order(per_order: Spread) -> str:
    if per_order.max is None:
        return "no order"
    return f"an order has {per_order.p50:g} (half), {per_order.p90:g} (9 of 10), {per_order.max:g} (at most)"


def _rules(rules: Sequence[Judged], others: Sequence[Unjudged]) -> Iterator[RenderableType]:
    if rules:
        table = _verdicts("Rule", "Allowed")
        for rule in rules:
            table.add_row(with_parties(clean(rule.rule)), rule.allowed, *_verdict(rule))
        yield table
        for rule in rules:
            yield Hanging(Text(f"  {clean(rule.rule)}: ", style="bold"), Text(rule.reason), Text("    "))
    if rules:
        yield indented(Text("Late and needless: shares of all cases, of which most caused no notice.", style="dim"), 2)
    for other in others:
        why = "it was never done" if not other.done else f"it was done {many(other.done, 'time')} only"
        sentence = f"{other.rule} ({other.allowed}): by this log {why}, so nothing can be said"
        yield indented(Text(clean(sentence), style="dim"), 2)


def _lanes(lanes: Sequence[Judged], total: int) -> Iterator[RenderableType]:
    odd = [lane for lane in lanes if lane.verdict != "fits" and lane.owner is not None]
    shown = odd[:_SHOWN]
    if not shown:
        return
    yield Text("")
    table = _verdicts("Who, under which rule")
    for lane in shown:
        who = _lane(lane.from_party, lane.owner or "").append(f", {clean(lane.rule)}", style="default")
        table.add_row(who, *_verdict(lane))
    yield table
    yield Text(f"\n{len(shown)} of {many(total, 'lane')} with cases enough.", style="dim")


def _verdicts(*first: str) -> Table:
    right = ("Cases", "Late", "Needless")
    whole = ("Allowed", "Verdict", "Would do")
    last = "Then late"
    return plain_table(*first, *right, "Verdict", "Would do", last, right=(*right, last), whole=whole)


def _verdict(each: Judged) -> list[str | Text]:
    return [
        f"{each.cases:,}",
        _part(each.late_share),
        _part(each.idle_share),
        Text(each.verdict, style=_VERDICT_STYLES[each.verdict]),
        each.suggestion or "–",
        _part(each.suggested_late_share),
    ]


def _lane(from_party: str | None, owner: str) -> Text:
    who = Text("the customer") if owner.partition(":")[0] == "customer" else party(owner)
    return who if from_party is None else party(from_party).append(" → ", style="default").append_text(who)


def _lengths(spread: Spread, ends: str = "longest") -> list[str]:
    """As many columns as the table has: with the longest, the hundredth as well."""
    numbers = (spread.p50, spread.p90, *((spread.p99,) if ends == "longest" else ()), spread.max)
    return ["–" if number is None else span(number * 3_600) for number in numbers]


def _part(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold underline")
