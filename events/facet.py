"""What all facts share: the base model and how a facet registers its facts.

The names are the storage format. A fact's fields may gain optional companions; anything else is a new version with an
upcaster (see vocabulary.py).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

#: A short name, number or key that a party writes.
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
#: Free text that a person reads.
Prose = Annotated[str, StringConstraints(min_length=1, max_length=8_000)]


class Fact(BaseModel):
    """Data of one fact. Unknown fields are refused: a customer's address in an unforeseen field would be kept for ever.

    A field that is sent as null counts as not sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, str_strip_whitespace=True)

    #: Name in the vocabulary and version, set by each fact.
    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if isinstance(data, dict) and None in data.values():
            return {key: value for key, value in data.items() if value is not None}
        return data


class Product(BaseModel):
    """What is being repaired. Any of its fields may be unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    brand: Text | None = None
    model: Text | None = None
    serial: Text | None = None
    description: Text | None = None
    #: A kind of product ("watch", "boiler"), by which a policy may make a difference.
    category: Text | None = None
