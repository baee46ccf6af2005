"""The texts that a customer gets, for people to read: golden/texts.en.txt and golden/texts.nl.txt.

When one is meant to change: ``python -m tests.services.notifying.texts`` writes them anew; look at the difference.
"""

from __future__ import annotations

from pathlib import Path

from cli.specimens import CARDS, specimens
from services.notifying.dates import SPEECH
from services.notifying.texting import text_form

GOLDEN = Path(__file__).parent / "golden"


def read_by_people(language: str) -> list[tuple[str, str]]:
    """All examples of texts in ``language``, each with what is the case."""
    return [(f"{each.kind}: {each.case}", text_form(each.plan, CARDS, language).text) for each in specimens(language)]


def written(language: str) -> str:
    """The same as a file."""
    return "\n".join(f"== {case} ({len(text)} characters)\n{text}\n" for case, text in read_by_people(language))


def file_of(language: str) -> Path:
    return GOLDEN / f"texts.{language}.txt"


if __name__ == "__main__":
    for code in SPEECH:
        file_of(code).write_text(written(code), encoding="utf-8")
