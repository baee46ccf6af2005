"""Words of names that are words of the language, too: alone they tell nobody."""

from __future__ import annotations

from typing import Final

_GERMANIC: Final = frozenset({"and", "auf", "de", "den", "der", "des", "en", "het", "te", "ten", "ter", "the", "und"})
_ROMANCE: Final = frozenset({"dal", "das", "del", "di", "du", "el", "et", "la", "las", "le", "los", "un", "y"})

PARTICLES: Final = _GERMANIC | _ROMANCE | {"van", "von", "zu", "zum", "zur"}
