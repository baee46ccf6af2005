"""What a mapping file says, section by section: how the rows of a foreign log become facts.

docs/import.md tells the language; loading.py reads the file and checks what a single key cannot know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
)
from pydantic_core import CoreSchema, core_schema

from events.party import PARTNER_ROLES, check_party, role_of
from events.vocabulary import FACTS
from services.importing.values import (
    Condition,
    Constant,
    Table,
    Template,
    Value,
    condition_from,
    table_from,
    value_from,
)

#: What the importer says by itself; a rule cannot say these.
OWN_FACTS = frozenset({"order.opened", "order.closed", "order.reopened", "item.handed_over", "item.received"})

#: The column of the hour, where ``time`` has the date alone.
TIME_OF_DAY = "time_of_day"

#: ``accountable`` of an order: whoever has it at the first row.
FIRST_PARTY = "first party"


def _check_encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        raise ValueError(f"'{name}' is no text encoding; utf-8, latin-1 and utf-16 are some") from None
    return name


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"'{name}' is no time zone; write one such as Europe/Amsterdam") from None
    return name


def _check_time_format(pattern: str) -> str:
    if pattern == "iso":
        return pattern
    moment = datetime(2026, 11, 21, 17, tzinfo=UTC)
    try:
        datetime.strptime(moment.strftime(pattern), pattern)  # noqa: DTZ007 - only whether it can be read
    except re.error:
        raise ValueError(f"'{pattern}' is no pattern of times: it names a part of the time twice") from None
    except ValueError as error:
        raise ValueError(f"'{pattern}' is no pattern of times: {error}") from None
    return pattern


def _check_partner(text: str) -> str:
    if role_of(text) not in PARTNER_ROLES:
        raise ValueError(f"'{text}' is no partner: write role:name, with a role of {', '.join(PARTNER_ROLES)}")
    return check_party(text)


def _check_accountable(text: str) -> str:
    return text if text == FIRST_PARTY else _check_partner(text)


def _check_fact(name: str) -> str:
    if name not in FACTS:
        raise ValueError(f"there is no fact named '{name}'")
    if name in OWN_FACTS:
        raise ValueError(f"{name} is said by [order], [custody] and [status], not by a rule")
    return name


def _one_or_more(raw: object) -> object:
    return [raw] if isinstance(raw, str) else raw


class _ReadBy:
    """Lets pydantic read a type of ours by its own function, without a look inside the type."""

    def __init__(self, read: Callable[[object], object]) -> None:
        self._read = read

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)


AnyValue = Annotated[Value, _ReadBy(value_from)]
AnyTable = Annotated[Table, _ReadBy(table_from)]
AnyCondition = Annotated[Condition, _ReadBy(condition_from)]
Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_one_or_more), Field(min_length=1)]
FactName = Annotated[str, AfterValidator(_check_fact)]


class Section(BaseModel):
    """A table of the mapping: unknown keys are refused, because they are misspelt ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Log(Section):
    """The file: how it is written, and how its rows stand in it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    format: Literal["auto", "csv", "xes"] = "auto"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    encoding: Annotated[str, AfterValidator(_check_encoding)] = "utf-8"
    time_format: Annotated[str, AfterValidator(_check_time_format)] = "iso"
    time_zone: Annotated[str, AfterValidator(_check_zone)] | None = None
    cases: Literal["spread", "together"] = "spread"
    sort: Literal["none", "time"] = "none"


class Values(Section):
    """Texts that stand for nothing, in any column. The empty text always does."""

    nothing: tuple[str, ...] = ()


class PartyOf(Section):
    """Which party a row speaks of; ``first`` has the item when the first row names nobody."""

    role: AnyValue
    name: AnyValue = Template((("", "party"),))
    first: Annotated[str, AfterValidator(_check_partner)] | None = None


class Order(Section):
    """The order that a case becomes; ``opened`` holds the data of order.opened, read from the first row alone."""

    id: AnyValue = Template((("", "case"),))
    accountable: Annotated[str, AfterValidator(_check_accountable)] = FIRST_PARTY
    opened: AnyTable = Table()


class Custody(Section):
    """A row of another party is a handoff to it, received at that party's first row that is not ``queued``."""

    queued: AnyCondition | None = None


class Status(Section):
    """A row that is ``closed`` closes the order; a later row that is not opens it again."""

    closed: AnyCondition
    outcome: AnyValue = Constant("repaired")


class Aside(Section):
    """Rows beside the work: they say the facts of the rules, and move neither custody, status nor waits."""

    when: AnyCondition


class Rule(Section):
    """A fact of its own, said when the condition begins to hold (``each = "run"``) or on every row where it does."""

    when: AnyCondition
    type: FactName
    data: AnyTable = Table()
    each: Literal["run", "row"] = "run"
    leaving: FactName | None = None


class Mapping(Section):
    """A whole mapping file."""

    log: Log
    columns: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Names]
    party: PartyOf
    values: Values = Values()
    order: Order = Order()
    custody: Custody = Custody()
    status: Status | None = None
    aside: Aside | None = None
    facts: tuple[Rule, ...] = ()
