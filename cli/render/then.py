"""Which moment an answer is about, when it is not now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from cli.render.moments import Moments


def then(as_of: datetime | None, known_at: datetime | None, moments: Moments) -> Iterator[Text]:
    """A line above the answer; none for now."""
    told = [
        f"{words} {moments.at(moment)}"
        for words, moment in (("as it was on", as_of), ("as we knew it on", known_at))
        if moment is not None
    ]
    if told:
        text = ", ".join(told)
        yield Text(f"{text[:1].upper()}{text[1:]}:", style="bold yellow")
