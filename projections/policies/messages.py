"""What the policy says of messages to customers: quiet hours, how many a day, and how long each may wait."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from projections.policies.amount import Amount
from projections.policies.values import Table, amount_of, check_names, text_of
from projections.policies.words import PolicyError

NEVER: Final = "never"

_CLOCK: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_SPAN: Final = rf"({_CLOCK}) ?- ?({_CLOCK})"
_PLACE: Final = "[messages]"
_MOST: Final = 100
_LONGEST_WAIT: Final = timedelta(hours=1)

#: ``21:00-8:00``, or ``never``.
QuietHours = Annotated[str, StringConstraints(pattern=rf"^({_CLOCK} ?- ?{_CLOCK}|{NEVER})$")]


class MessageRules(BaseModel):
    """``quiet``: no routine message goes out in these hours of the customer's; ``most_a_day``: more wait for the
    next morning (0: there is no such limit). ``most_silent``: after so many letters in a row without anything new a
    person gets in touch (0: never). ``wait_for_more``: so long a letter about progress waits for what else there may be
    to tell. ``after_missed_visit``: the longest that she is without news while a visit is missed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quiet: QuietHours
    most_a_day: int = Field(ge=0, le=_MOST)
    most_silent: int = Field(default=3, ge=0, le=_MOST)
    wait_for_more: Amount = Amount(count=6, unit="minute")
    after_missed_visit: Amount = Amount(count=1, unit="working day")

    @property
    def patience(self) -> timedelta:
        """``wait_for_more`` as a length of time; it passes around the clock."""
        return timedelta(microseconds=self.wait_for_more.order)


def quiet_span(quiet: str) -> tuple[time, time] | None:
    """When quiet hours begin and end, on the clock; None if there are none."""
    found = re.fullmatch(_SPAN, quiet)
    if found is None:
        return None
    begin, end = (_clock(each) for each in found.groups())
    return (begin, end) if begin != end else None


def _clock(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))


def read_messages(table: Table) -> dict[str, Any]:
    """The fields that a file names. Raises PolicyError."""
    check_names(table, MessageRules.model_fields, _PLACE)
    fields: dict[str, Any] = {}
    if "quiet" in table:
        fields["quiet"] = _quiet(table["quiet"])
    if "most_a_day" in table:
        fields["most_a_day"] = _most(table["most_a_day"], "most_a_day", "any")
    if "most_silent" in table:
        fields["most_silent"] = _most(table["most_silent"], "most_silent", NEVER)
    if "wait_for_more" in table:
        fields["wait_for_more"] = _wait(table["wait_for_more"])
    if "after_missed_visit" in table:
        fields["after_missed_visit"] = amount_of(table["after_missed_visit"], f"{_PLACE} after_missed_visit")
    return fields


def _quiet(value: Any) -> str:
    text = text_of(value, f"{_PLACE} quiet", "21:00-8:00").strip().lower()
    if text == NEVER:
        return text
    if quiet_span(text) is None:
        raise PolicyError(f'{_PLACE} quiet is "{text}": write two different times of the clock, such as "21:00-8:00"')
    begin, end = text.replace(" ", "").split("-")
    return f"{begin}-{end}"


def _wait(value: Any) -> Amount:
    place = f"{_PLACE} wait_for_more"
    wait = amount_of(value, place)
    if not wait.around_the_clock or timedelta(microseconds=wait.order) > _LONGEST_WAIT:
        raise PolicyError(f'{place} is "{wait}": write at most an hour around the clock, "6 minutes" or "at once"')
    return wait


def _most(value: Any, name: str, unlimited: str) -> int:
    """A number of messages, 0 for the word that means that there is no limit."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PolicyError(f'{_PLACE} {name}: write a number of messages from 1 to {_MOST}, or "{unlimited}"')
    if isinstance(value, str):
        if value.strip().lower() != unlimited:
            raise PolicyError(f'{_PLACE} {name} is "{value}": write a number without quotes, or "{unlimited}"')
        return 0
    if not 1 <= value <= _MOST:
        raise PolicyError(f"{_PLACE} {name} is {value}: write a number from 1 to {_MOST}")
    return value
