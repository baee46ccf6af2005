"""Reads single values of a policy file. Each raises PolicyError: one sentence with the place and what to write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from projections.policies.amount import Amount
from projections.policies.words import PolicyError, did_you_mean

Table = dict[str, Any]
_Word = TypeVar("_Word", bound=str)


def check_names(table: Table, known: Iterable[str], place: str, noun: str = "key") -> None:
    """Refuse what is not known here: it is something misspelt, which would be passed over in silence."""
    known = list(known)
    for name in table:
        if name not in known:
            raise PolicyError(f"{place} names the {noun} '{name}', which there is not: {did_you_mean(name, known)}")


def table_of(value: Any, place: str) -> Table:
    """A table, written once."""
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        raise PolicyError(f"{place} stands in two brackets: there is one only, so write it in single brackets")
    if not isinstance(value, dict):
        raise PolicyError(f"{place} is {_shown(value)}: write it as a section, with its lines below it")
    return value


def tables_of(value: Any, place: str, header: str) -> list[Table]:
    """Tables of which there may be many, each below ``header``."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise PolicyError(f"{place}: write {header}, in two brackets, above each, because there may be many")
    return value


def text_of(value: Any, place: str, example: str) -> str:
    """A text with something in it."""
    if not isinstance(value, str):
        raise PolicyError(f"{place} is {_shown(value)}: write it as text between quotes, such as {json.dumps(example)}")
    if not value.strip():
        raise PolicyError(f"{place} is empty: write something such as {json.dumps(example)}, or leave it out")
    return value


def amount_of(value: Any, place: str) -> Amount:
    """A length of time, in the one way to write it."""
    text = text_of(value, place, "2 working days")
    try:
        return Amount.parse(text).plain()
    except ValueError as error:
        raise PolicyError(f"{place}: {error}") from None


def word_of(value: Any, words: Sequence[_Word], place: str, noun: str) -> _Word:
    """One of ``words``."""
    text = text_of(value, f"{place}, {noun},", words[0])
    for word in words:
        if word == text.strip().lower():
            return word
    raise PolicyError(f"{place} names the {noun} '{text}', which there is not: {did_you_mean(text, words)}")


def words_of(value: Any, words: Sequence[_Word], place: str, noun: str) -> tuple[_Word, ...]:
    """Some of ``words``, once each, in the order of ``words``; a single one needs no brackets."""
    given = {word_of(each, words, place, noun) for each in (value if isinstance(value, list) else [value])}
    return tuple(word for word in words if word in given)


def _shown(value: Any) -> str:
    """As the file has it, as far as that is short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:39]}…"
