"""One case followed row by row: what each row says, given where the case stands. No files, no clocks, no ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from events.party import PARTNER_ROLES, PartyError, check_party
from events.vocabulary import FACTS
from services.importing.mapping import FIRST_PARTY, Mapping, Rule
from services.importing.rows import Row
from services.importing.values import Condition


class RowProblem(ValueError):
    """The row cannot be used; the message says why."""


class Said(NamedTuple):
    """A fact that a row says, and whose it is."""

    name: str
    party: str
    data: dict[str, Any]


@dataclass(slots=True)
class Case:
    """Where a case stands; all that is kept of it between its rows."""

    order: str = ""  # its order's id, once a row could tell it
    number: int = 0  # of its latest row, from 1
    holder: str = ""  # the party that has it; empty until a row could open the order
    giver: str = ""  # whom the holder has it from, until the holder has received it; else empty
    closed: bool = False
    runs: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)  # rule → who said it, and what


@dataclass(slots=True)
class Turn:
    """What one row says: ``said`` in the order in which it holds, and why other facts were left out."""

    values: dict[str, str]
    said: list[Said] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def say(self, name: str, party: str, data: dict[str, Any]) -> None:
        self.said.append(Said(name, party, data))


class _Judgement(NamedTuple):
    """What the mapping's conditions say of a row."""

    aside: bool
    queued: bool
    closes: bool
    rules: tuple[int, ...]  # those that hold


class Follower:
    """The decisions of one mapping."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._name, self._role = mapping.party.name, mapping.party.role
        self._rules = [(rule, _required(rule)) for rule in mapping.facts]
        self._judge = _judge_of(mapping)

    def follow(self, case: Case, row: Row) -> Turn:
        """What ``row`` says. Moves ``case`` on. Raises RowProblem, and then ``case`` is as it was."""
        turn = Turn(row.values)
        party = self._party(row.values)
        if not case.holder:
            self._open(case, party, turn)
        judgement = self._judge(row.values)
        speaker = party or case.holder
        if judgement.aside:
            for number in judgement.rules:
                self._say(number, speaker, turn)
            return turn
        if case.runs:
            self._leave(case, speaker, judgement.rules, turn)
        if case.closed and not judgement.closes:
            case.closed = False
            turn.say("order.reopened", speaker, {})
        if party is not None:
            self._pass_on(case, party, judgement.queued, turn)
        for number in judgement.rules:
            self._enter(case, number, speaker, turn)
        if judgement.closes and not case.closed:
            case.closed = True
            turn.say("order.closed", speaker, {"outcome": self._outcome(row.values)})
        return turn

    def _party(self, values: dict[str, str]) -> str | None:
        name = self._name.of(values)
        if name is None:
            return None
        role = self._role.of(values)
        if role is None:
            raise RowProblem(f"party.role gives no role for '{name}'")
        return _party(str(role), str(name))

    def _open(self, case: Case, party: str | None, turn: Turn) -> None:
        holder = party or self._mapping.party.first
        if holder is None:
            raise RowProblem("it names no party, and nobody has the order yet (party.first could say who)")
        accountable = self._mapping.order.accountable
        data = {"product": {}, **self._mapping.order.opened.of(turn.values)}
        data["accountable"] = holder if accountable == FIRST_PARTY else accountable
        case.holder = holder
        turn.say("order.opened", holder, data)

    def _pass_on(self, case: Case, party: str, queued: bool, turn: Turn) -> None:
        if party != case.holder:
            turn.say("item.handed_over", case.holder, {"to": party})
            case.giver, case.holder = case.holder, party
        if case.giver and not queued:
            turn.say("item.received", party, {"from": case.giver})
            case.giver = ""

    def _leave(self, case: Case, speaker: str, holding: tuple[int, ...], turn: Turn) -> None:
        """End the waits and other runs that this row does not carry on; whoever began one says that it is over."""
        for number, (beginner, data) in list(case.runs.items()):
            rule, _ = self._rules[number]
            stays = number in holding and beginner == speaker
            if stays and rule.data.of(turn.values) == data:
                continue
            del case.runs[number]
            # A run that begins anew with other data replaces the old one; nothing was resumed in between.
            if rule.leaving is not None and not stays:
                turn.say(rule.leaving, beginner, {})

    def _enter(self, case: Case, number: int, speaker: str, turn: Turn) -> None:
        if number in case.runs:
            return
        data = self._say(number, speaker, turn)
        if data is not None and self._rules[number][0].each == "run":
            case.runs[number] = (speaker, data)

    def _say(self, number: int, speaker: str, turn: Turn) -> dict[str, Any] | None:
        rule, required = self._rules[number]
        data = rule.data.of(turn.values)
        if lacking := sorted(required - data.keys()):
            turn.missing.append(f"facts[{number}]: {rule.type} needs '{lacking[0]}', and this row has no value for it")
            return None
        turn.say(rule.type, speaker, data)
        return data

    def _outcome(self, values: dict[str, str]) -> Any:
        assert self._mapping.status is not None  # nothing closes without it
        return self._mapping.status.outcome.of(values)


def _judge_of(mapping: Mapping) -> Callable[[dict[str, str]], _Judgement]:
    """The conditions of a mapping as one function. Few distinct rows come up again and again, so it remembers them."""
    aside = mapping.aside.when if mapping.aside is not None else None
    closed = mapping.status.closed if mapping.status is not None else None
    rules = [rule.when for rule in mapping.facts]
    conditions = [each for each in (aside, mapping.custody.queued, closed, *rules) if each is not None]
    columns = tuple(sorted(frozenset[str]().union(*(each.columns for each in conditions))))

    def holds(condition: Condition | None, row: dict[str, str]) -> bool:
        return condition is not None and condition.holds(row)

    @lru_cache(maxsize=8_192)
    def remembered(texts: tuple[str, ...]) -> _Judgement:
        row = dict(zip(columns, texts, strict=True))
        return _Judgement(
            holds(aside, row),
            holds(mapping.custody.queued, row),
            holds(closed, row),
            tuple(number for number, when in enumerate(rules) if when.holds(row)),
        )

    def judge(row: dict[str, str]) -> _Judgement:
        return remembered(tuple([row.get(column, "") for column in columns]))

    return judge


@lru_cache(maxsize=65_536)
def _party(role: str, name: str) -> str:
    if role not in PARTNER_ROLES:
        raise RowProblem(f"party.role gives '{role[:60]}', which is no role of a partner")
    try:
        return check_party(f"{role}:{name}")
    except PartyError as error:
        raise RowProblem(str(error)) from None


def _required(rule: Rule) -> frozenset[str]:
    fields = FACTS[rule.type].model_fields.items()
    return frozenset(field.alias or name for name, field in fields if field.is_required())
