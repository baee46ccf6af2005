"""Which facts of the vocabulary may be meant by a type that is not in it."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import Final

from events.envelope import TYPE_PREFIX
from events.vocabulary import FACTS

#: So many are named, and so much like what was written they have to be (1 is the same).
_MOST: Final = 3
_LIKE: Final = 0.8
#: Nothing longer is like any of them, and it would take long to see that.
_LONGEST: Final = 60
_NO_SIGN: Final = re.compile(r"[\W_]+")
_VERSION: Final = re.compile(r"\.v\d*$")


@lru_cache(maxsize=256)
def nearest_facts(text: str) -> tuple[str, ...]:
    """The names of facts that are like ``text``, a type or a name, the likest first; case and signs do not matter."""
    folded = {_folded(name): name for name in FACTS}
    sought = _folded(_VERSION.sub("", text.casefold()).removeprefix(TYPE_PREFIX))
    if len(sought) > _LONGEST:
        return ()
    return tuple(folded[each] for each in difflib.get_close_matches(sought, folded, n=_MOST, cutoff=_LIKE))


def _folded(text: str) -> str:
    return _NO_SIGN.sub("", text.casefold())
