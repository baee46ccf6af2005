"""Sentences by which a part of a letter is known again: the templates say them, and so must a shop's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Phrases:
    """Of one language. Each pattern is searched for in one paragraph or sentence."""

    #: We are sorry.
    apology: re.Pattern[str]
    #: What comes next, as a paragraph of its own.
    next_step: re.Pattern[str]
    #: By when she hears from us again, or that she need not.
    next_news: re.Pattern[str]
    #: The last paragraph.
    sign_off: re.Pattern[str]
    #: That the answer which we owe her is late.
    answer_late: re.Pattern[str]
    #: That we owe her an answer, of which there is no more to say.
    answer_owed: re.Pattern[str]
    #: At the top of a letter that tells several things; the second where one of them is a sorry one.
    several: str
    several_sorry: str


PHRASES: Final = {
    "en": Phrases(
        apology=re.compile(r"\b(sorry|apologi[sz]e|apologies)\b", re.IGNORECASE),
        next_step=re.compile(r"^What happens next: "),
        next_news=re.compile(r"\bhear from us\b", re.IGNORECASE),
        sign_off=re.compile(r"^Kind regards,"),
        answer_late=re.compile(r"\byou are still waiting for our answer\b"),
        answer_owed=re.compile(r"\bwe owe you an answer: you will get it from us\.$"),
        several="We have more than one thing to tell you. In the order in which it happened:",
        several_sorry="We are sorry: not all that we have to tell you is good news. In the order in which it happened:",
    ),
    "nl": Phrases(
        apology=re.compile(r"\b(spijt|excuses|sorry)\b", re.IGNORECASE),
        next_step=re.compile(r"^Zo gaat het verder: "),
        next_news=re.compile(r"\b(hoort|hoor)( u)?\b.*\bvan ons\b|\bons laatste bericht\b", re.IGNORECASE),
        sign_off=re.compile(r"^Met vriendelijke groet,"),
        answer_late=re.compile(r"\bu wacht nog op ons antwoord\b"),
        answer_owed=re.compile(r"\bwe u nog een antwoord schuldig zijn: dat krijgt u van ons\.$"),
        several="We hebben u meer dan één ding te vertellen. In de volgorde waarin het gebeurde:",
        several_sorry="Het spijt ons: niet alles wat we u te vertellen hebben, is goed nieuws. "
        "In de volgorde waarin het gebeurde:",
    ),
}

_FIRST_SENTENCE: Final = re.compile(r".*?[.?!](?=\s|$)", re.DOTALL)


def first_sentence(text: str) -> str:
    """The first sentence of ``text``; all of it if it has no end."""
    found = _FIRST_SENTENCE.match(text.strip())
    return found.group() if found else text.strip()


def says_sorry_first(text: str, language: str) -> bool:
    """Whether the first sentence of ``text`` holds an apology."""
    return PHRASES[language].apology.search(first_sentence(text)) is not None
