"""Many like cases in one test: what fails says of which. A test for each costs more than most of these cases do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def about(*what: object) -> Iterator[None]:
    """Whatever fails within is noted to be about ``what``."""
    try:
        yield
    except BaseException as error:  # also pytest's own, for what was not raised
        error.add_note(f"about {', '.join(map(repr, what))}")
        raise
