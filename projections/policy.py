"""How long everything may take and what happens when time runs out: the policy of a chain.

A policy is a TOML file that a shopkeeper reads and writes; policy.toml beside this module is the built-in one, and
explains itself. What a file leaves out is as in the built-in one, also its overrides. ``Policy`` is what a file means,
in one form only: comments, order and ways of writing make no difference to it, nor to its ``digest``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib import resources
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from events.party import role_of
from projections.calendar import Calendar
from projections.policies.amount import Amount
from projections.policies.draft import Draft
from projections.policies.hours import default_calendar, other_calendars
from projections.policies.levels import Level, Levels
from projections.policies.messages import MessageRules
from projections.policies.reading import read_draft
from projections.policies.rules import Explanation, Fit, Rule, rule_name
from projections.policies.scope import Override, Scope
from projections.policies.words import KINDS, ROUTINE, Kind, PolicyError, did_you_mean

__all__ = [
    "BUILT_IN_TEXT",
    "DEFAULT_POLICY",
    "KINDS",
    "Amount",
    "Explanation",
    "Fit",
    "Kind",
    "Level",
    "Levels",
    "Override",
    "Policy",
    "PolicyError",
    "Rule",
    "Scope",
]

#: The built-in policy as a file, to start from.
BUILT_IN_TEXT: Final = resources.files("projections").joinpath("policy.toml").read_text(encoding="utf-8")

_NOTHING: Final = Override(scope=Scope(), allow={})
_HURRIED: Final = ("urgent", "safety")
#: The one kind of which it is known from whom the thing came.
_OF_A_LANE: Final = "receive"
#: A policy is kept as the data of one fact, which holds 64 KiB with all that is around it.
_MAX_BYTES: Final = 56 * 1024
#: Parties and categories come from outside: what is remembered of them must not grow for ever.
_MAX_REMEMBERED: Final = 50_000

_Question = tuple[str, str, str | None, str | None, str]


class Policy(BaseModel):
    """A whole policy. ``overrides`` has the most precise first; ``calendars`` go by party or by role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow: dict[Kind, Amount]
    overrides: tuple[Override, ...]
    levels: dict[Kind, Levels]
    messages: MessageRules
    calendar: Calendar
    calendars: dict[str, Calendar]

    @classmethod
    def parse(cls, text: str) -> Policy:
        """The policy that a file is. Raises PolicyError: one sentence that names the place in the file."""
        draft = read_draft(text).over(_built_in())
        policy = cls(
            allow={kind: draft.allow[kind] for kind in KINDS},
            overrides=draft.sorted_overrides(),
            levels={kind: draft.levels_of(kind) for kind in KINDS},
            messages=MessageRules(**draft.messages),
            calendar=default_calendar(draft),
            calendars=other_calendars(draft),
        )
        if len(policy._text.encode()) > _MAX_BYTES:
            raise PolicyError("the policy is too long to be kept: let its overrides name roles rather than each party")
        return policy

    def canonical(self) -> dict[str, Any]:
        """The policy as JSON, in one form: equal for all files that mean the same. It names parties and no people."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def from_canonical(cls, kept: Any) -> Policy:
        """The policy that ``canonical`` gave; a part that it lacks, having been kept before there was one, is built in.

        Raises PolicyError for anything else.
        """
        if not isinstance(kept, dict):
            raise PolicyError("this was not kept by a policy: it is no JSON object")
        built_in = DEFAULT_POLICY.canonical()
        whole: dict[str, Any] = built_in | kept
        for part in ("allow", "levels", "messages"):
            if isinstance(whole[part], dict):
                whole[part] = built_in[part] | whole[part]
        try:
            return cls.model_validate(whole)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise PolicyError(f"this was not kept by a policy: {place}: {first['msg']}") from None

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell this policy from others."""
        return sha256(self._text.encode()).hexdigest()[:16]

    def resolve(
        self,
        kind: str,
        owner: str,
        counterpart: str | None = None,
        category: str | None = None,
        urgency: str | None = None,
    ) -> Rule:
        """The rule for what ``owner`` (a party, or ``customer``, or ``customer:ref``) owes.

        ``counterpart`` is the party it came from. Raises ValueError if there is no such kind.
        """
        question = (kind, owner, counterpart, category, urgency or ROUTINE)
        rule = self._answers.get(question)
        if rule is None:
            if len(self._answers) >= _MAX_REMEMBERED:
                self._answers.clear()
            rule = self._answers[question] = self._rule(next(self._fitting(question)), question)
        return rule

    def explain(
        self,
        kind: str,
        owner: str,
        counterpart: str | None = None,
        category: str | None = None,
        urgency: str | None = None,
    ) -> Explanation:
        """Why ``resolve`` gives what it gives: all rules that fit, the winner first, and why it won."""
        question = (kind, owner, counterpart, category, urgency or ROUTINE)
        scopes = list(self._fitting(question))
        fits = tuple(Fit(name=rule_name(kind, scope), allow=self._amount(kind, scope)) for scope in scopes)
        why = scopes[0].why_over(scopes[1]) if len(scopes) > 1 else "no override fits"
        return Explanation(rule=self._rule(scopes[0], question), fits=fits, why=why, urgency=question[-1])

    def calendar_of(self, party: str) -> Calendar:
        """When ``party`` is open: its own calendar, that of its role, or [calendar]."""
        return self.calendars.get(party) or self.calendars.get(role_of(party)) or self.calendar

    def notes(self) -> Iterator[str]:
        """What a reader of the policy may not expect, in sentences: overrides that slow down an urgent order, or that
        never hold."""
        for override in self.overrides:
            unknown = [kind for kind in KINDS if kind in override.allow and kind != _OF_A_LANE]
            if override.scope.from_party is not None and unknown:
                yield (
                    f"{override.scope} never holds for {', '.join(unknown)}: from whom it came is known of "
                    f"{_OF_A_LANE} alone"
                )
            slower = {
                urgency: [kind for kind in override.allow if self._slower(override, kind, urgency)]
                for urgency in _HURRIED
            }
            hurried = [urgency for urgency, kinds in slower.items() if kinds]
            if hurried:
                kinds = ", ".join(kind for kind in KINDS if any(kind in each for each in slower.values()))
                yield (
                    f"{override.scope} is more precise than {' and '.join(hurried)}, so its longer times hold for "
                    f'those orders too ({kinds}): add urgency = "routine" to it if they should not'
                )

    @cached_property
    def _answers(self) -> dict[_Question, Rule]:
        return {}

    @cached_property
    def _text(self) -> str:
        return json.dumps(self.canonical(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def _by_scope(self) -> dict[Scope, Override]:
        return {override.scope: override for override in self.overrides}

    def _fitting(self, question: _Question) -> Iterator[Scope]:
        """All that fit, the most precise first; the empty scope, which is [allow], is the last."""
        kind, owner, counterpart, category, urgency = question
        if kind not in KINDS:
            raise ValueError(f"there is no kind '{kind}': {did_you_mean(kind, KINDS)}")
        for override in self.overrides:
            if kind in override.allow and override.scope.fits(owner, counterpart, category, urgency):
                yield override.scope
        yield Scope()

    def _amount(self, kind: Any, scope: Scope) -> Amount:
        override = self._by_scope.get(scope)
        return override.allow[kind] if override else self.allow[kind]

    def _rule(self, scope: Scope, question: _Question) -> Rule:
        kind: Any = question[0]
        # Whoever waits in the cold waits at night, too: for urgent orders no rule counts opening hours.
        hurried = question[-1] != ROUTINE
        amount, levels = self._amount(kind, scope), self.levels[kind]
        return Rule(
            name=rule_name(kind, scope, hurried=hurried and scope.urgency is None),
            amount=amount.day_and_night() if hurried else amount,
            nudge=None if levels.nudge is None else levels.nudge / 100,
            levels=levels.steps(day_and_night=hurried),
        )

    def _slower(self, override: Override, kind: Kind, urgency: str) -> bool:
        """Whether an urgent order gets more time because of ``override`` than it would for being urgent."""
        scope = override.scope
        plain, own = (
            self._by_scope.get(each.model_copy(update={"urgency": urgency}), _NOTHING) for each in (Scope(), scope)
        )
        if scope.urgency is not None or kind not in plain.allow or kind in own.allow:
            return False
        return override.allow[kind].order > plain.allow[kind].order


@lru_cache(maxsize=1)
def _built_in() -> Draft:
    return read_draft(BUILT_IN_TEXT)


#: What holds for a chain that has written nothing down.
DEFAULT_POLICY: Final = Policy.parse("")
