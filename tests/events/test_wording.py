"""What is wrong is told without the words of pydantic or Python."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, Field, ValidationError, field_validator

from events.wording import in_words


class Inner(BaseModel):
    name: str


class Every(BaseModel):
    time: AwareDatetime = datetime(2026, 11, 21, tzinfo=UTC)
    data: dict[str, Any] = {}
    inner: Inner = Inner(name="x")
    names: tuple[str, ...] = ()
    text: Annotated[str, Field(min_length=1, max_length=3, pattern="^[a-z]+$")] = "a"
    holds: bool = True
    word: Literal["yes", "no"] = "yes"
    count: Annotated[int, Field(le=10)] = 1
    ours: str = ""

    @field_validator("ours")
    @classmethod
    def _of_ours(cls, text: str) -> str:
        raise ValueError(f"'{text}' is none of ours")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("time", "2026-11-21T17:00:00", "must state its zone, as 2026-11-21T17:00:00+01:00 does"),
        ("data", "hello", "must be an object"),
        ("inner", "hello", "must be an object"),
        ("names", "hello", "must be a list"),
        ("text", 3, "must be text"),
        ("text", "", "must not be empty"),
        ("text", "abcd", "must have at most 3 characters"),
        ("text", "A", "must match pattern '^[a-z]+$'"),
        ("holds", "perhaps", "must be true or false"),
        ("word", "perhaps", "must be 'yes' or 'no'"),
        ("count", "x", "must be a whole number"),
        ("count", 11, "must be less than or equal to 10"),
        ("ours", "x", "'x' is none of ours"),
    ],
)
def test_what_is_told(field: str, value: object, told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Every.model_validate({field: value})
    assert [in_words(fault) for fault in raised.value.errors()] == [told]
