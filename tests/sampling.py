"""How much the suite does of what is done again and again: a sample of it, or with ``--thorough`` all."""

from __future__ import annotations

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
