"""How much the suite does of what is done again and again: a sample of it, or with ``--thorough`` all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_thorough = False


def be_thorough(yes: bool) -> None:
    """Said once, before any test is collected."""
    global _thorough
    _thorough = yes


def is_thorough() -> bool:
    """Whether all is done."""
    return _thorough


def examples(sample: int, all_of_them: int) -> int:
    """How many examples a property test tries."""
    return all_of_them if _thorough else sample


def some(things: Sequence[T], one_of: int) -> Sequence[T]:
    """One of so many of ``things``, drawn at random but the same each time, in their order; or all of them."""
    if _thorough or one_of == 1:
        return things
    chosen = sorted(random.Random(len(things)).sample(range(len(things)), -(-len(things) // one_of)))
    return [things[number] for number in chosen]
