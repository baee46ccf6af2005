"""The same letter as an HTML e-mail: the words of its text and no others, readable on a telephone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from services.notifying.dates import spoken
from services.notifying.discretion import one_line
from services.notifying.phrases import PHRASES
from services.notifying.templating import first_of, render

_TEMPLATE: Final = "letter.html.j2"
_ENTRY: Final = "- "


@dataclass(frozen=True)
class Block:
    """A paragraph: its ``lines``, then the ``entries`` of a list. ``news``: it says by when she hears from us again;
    ``signed``: its last line is our name."""

    lines: tuple[str, ...]
    entries: tuple[str, ...]
    news: bool
    signed: bool


def html_of(text: str, *, language: str, subject: str, us: str, templates: Path | None = None) -> str:
    """``text`` (paragraphs with empty lines between them, lists in lines that start with ``- ``) as a whole HTML page.

    ``us`` is the name that the letter is signed with, ``templates`` as in ``wording.compose``.
    """
    values: dict[str, object] = {
        "language": spoken(language),
        "subject": one_line(subject),
        "blocks": blocks_of(text, language, us),
    }
    return first_of(partial(render, _TEMPLATE, values), templates)


def blocks_of(text: str, language: str, us: str) -> tuple[Block, ...]:
    """The paragraphs of ``text``; of those that could be the date of the next news, the last is."""
    paragraphs = [paragraph.splitlines() for paragraph in text.strip().split("\n\n") if paragraph.strip()]
    pattern = PHRASES[spoken(language)].next_news
    news = max((place for place, lines in enumerate(paragraphs) if pattern.search(" ".join(lines))), default=-1)
    return tuple(
        Block(
            lines=tuple(line.strip() for line in lines if line.strip() and not line.startswith(_ENTRY)),
            entries=tuple(line.removeprefix(_ENTRY).strip() for line in lines if line.startswith(_ENTRY)),
            news=place == news,
            signed=place == len(paragraphs) - 1 and len(lines) > 1 and lines[-1].strip() == one_line(us),
        )
        for place, lines in enumerate(paragraphs)
    )
