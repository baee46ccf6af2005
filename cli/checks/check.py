"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """``ok`` is None where there was nothing to look at; ``advice`` says what to do when it is False."""

    name: str
    ok: bool | None
    found: str
    advice: str = ""
