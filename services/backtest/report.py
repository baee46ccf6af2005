"""The report of a backtest, as ``repairchain backtest --json`` prints it. Lengths are in hours around the clock.

Lists hold at most as many rows as ``--limit`` says; what is beside them counts all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from events.chain import MessageKind

Verdict = Literal["too tight", "rarely kept", "too slack", "fits"]


class Part(BaseModel):
    """A part of the report; it never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Spread(Part):
    """How ``count`` numbers are spread: nine of ten are no more than ``p90``. None where there are no numbers."""

    count: int
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    max: float | None = None


class LogRead(Part):
    """What was read. ``facts_refused`` are those that the chain would not take in."""

    files: tuple[str, ...]
    rows: int
    rows_skipped: int
    orders: int
    orders_never_closed: int
    facts: int
    facts_left_out: int
    facts_refused: int
    parties: int
    first_at: datetime
    last_at: datetime


class PolicyUsed(Part):
    """``source`` is the policy's file, or ``built-in``."""

    source: str
    digest: str


class Gaps(Part):
    """How long customers heard nothing while an order was open (hours): the longest of each order, and every time."""

    longest: Spread
    every: Spread


class Silence(Part):
    """``before``: by what the log says that they were told (``contacts`` times). ``with_policy``: as predicted."""

    contacts: int
    before: Gaps
    with_policy: Gaps


class KindOfStep(Part):
    """All steps of one kind. ``idle`` of the ``overdue`` were done within four hours of the notice all the same."""

    kind: str
    opened: int
    done: int
    overdue: int
    idle: int
    idle_share: float | None
    overdue_hours: Spread


class Stall(Part):
    """The same for the steps that one party owed (``from_party``: what came from that one)."""

    kind: str
    from_party: str | None
    owner: str
    opened: int
    done: int
    overdue: int
    idle: int
    idle_share: float | None
    overdue_hours: Spread


class MessageCount(Part):
    """How many messages of one kind had one cause: a fact, the kind of step that was late, or ``update``."""

    kind: MessageKind
    cause: str
    count: int


class Predicted(Part):
    """One message that a customer would have got."""

    order: str
    at: datetime
    kind: MessageKind
    cause: str


class Messages(Part):
    """What customers would have been told: ``listed`` are the first, by order."""

    total: int
    per_order: Spread
    by_cause: tuple[MessageCount, ...]
    listed: tuple[Predicted, ...]


class Notices(Part):
    """What parties would have been told: reminders before something is late, and notices to whoever owes it, the party
    that answers to the customer (if that is another) and its named person."""

    total: int
    per_order: Spread
    nudges: int
    to_owner: int
    to_accountable: int
    to_person: int


class Judged(Part):
    """A rule, or what one party did under it, by ``cases`` steps that were done and for which nobody had named a date.

    ``typical_hours`` is how long they took, in the time that the rule counts (working hours, or around the clock).
    ``suggestion`` is the shortest allowance that will do, and ``suggested_…_share`` what it would have meant.
    """

    rule: str
    kind: str
    allowed: str
    from_party: str | None = None
    owner: str | None = None
    cases: int
    late_share: float
    idle_share: float
    typical_hours: Spread
    verdict: Verdict
    reason: str
    suggestion: str | None
    suggested_late_share: float | None
    suggested_idle_share: float | None


class Unjudged(Part):
    """A rule with too few steps that were done to judge it by."""

    rule: str
    kind: str
    allowed: str
    opened: int
    done: int


class BacktestReport(Part):
    """What would have happened to an old log under a policy."""

    log: LogRead
    policy: PolicyUsed
    silence: Silence
    kinds: tuple[KindOfStep, ...]
    stalls_total: int
    stalls: tuple[Stall, ...]
    messages: Messages
    notices: Notices
    rules: tuple[Judged, ...]
    rules_not_judged: tuple[Unjudged, ...]
    lanes_total: int
    lanes: tuple[Judged, ...]
