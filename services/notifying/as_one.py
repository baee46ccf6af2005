"""Names of things as a singular: letters say "has been repaired" of whatever she brought, also of shoes."""

from __future__ import annotations

import re
from typing import Final

#: What English has only in the plural, or what comes by two: a pair of them is one thing. In Dutch the ends of words.
_PAIRS: Final = {
    "en": (
        *("aids", "airpods", "binoculars", "boots", "braces", "chinos", "clippers", "clogs", "crutches"),
        *("cufflinks", "dungarees", "earbuds", "earphones", "earrings", "flippers", "glasses", "gloves"),
        *("goggles", "headphones", "jeans", "leggings", "loafers", "mittens", "overalls", "pants"),
        *("pliers", "pyjamas", "sandals", "scissors", "secateurs", "shears", "shoes", "shorts"),
        *("skates", "skis", "slippers", "sneakers", "socks", "spectacles", "stockings", "sunglasses"),
        *("tights", "tongs", "trainers", "trousers", "tweezers"),
    ),
    "nl": (
        *("airpods", "handschoenen", "hoorapparaten", "hoortoestellen", "klompen", "kousen", "laarzen"),
        *("manchetknopen", "oorbellen", "oordopjes", "oortjes", "pantoffels", "sandalen", "schaatsen"),
        *("schoenen", "skates", "ski's", "sloffen", "sneakers", "sokken", "wanten"),
    ),
}

#: Of these there may be any number. Together they are one thing, too.
_SETS: Final = {
    "en": (
        *("blinds", "candlesticks", "chairs", "clubs", "curtains", "cushions", "knives", "lamps"),
        *("lights", "panniers", "pans", "shutters", "speakers", "tyres", "wheels"),
    ),
    "nl": (
        *("fietstassen", "gordijnen", "kandelaars", "kussens", "lampen", "luidsprekers", "luiken", "messen"),
        *("pannen", "speakers", "stoelen", "wielen"),
    ),
}

_COUNTED: Final = {
    "en": re.compile(r"\b(pairs?|sets?)\b", re.IGNORECASE),
    "nl": re.compile(r"\b(paar|paren|set|sets|stel)\b", re.IGNORECASE),
}

#: Behind these stands what a thing is like or has, not what it is: a bag with wheels is no set.
_BESIDE: Final = {
    "en": re.compile(r"\s*[,;(]|\s(?:and|for|from|in|of|on|with|without)\s", re.IGNORECASE),
    "nl": re.compile(r"\s*[,;(]|\s(?:en|in|met|op|uit|van|voor|zonder)\s", re.IGNORECASE),
}

#: A name stands behind "your", where no article does.
_ARTICLE: Final = {
    "en": re.compile(r"(?:an?|her|his|my|our|their|your)\s+", re.IGNORECASE),
    "nl": re.compile(r"(?:een|haar|mijn|ons|onze|uw|zijn)\s+", re.IGNORECASE),
}


def as_one(name: str, what: str, language: str) -> str:
    """``name``, which ends with ``what`` it is, as a singular: ``pair of Halden shoes``, ``set Halden lampen``."""
    if _COUNTED[language].search(name):
        return name
    last = _BESIDE[language].split(what, maxsplit=1)[0].casefold().rpartition(" ")[2]
    of = " of" if language == "en" else ""
    if _is_one_of(last, _PAIRS[language], language):
        return f"{'pair' if language == 'en' else 'paar'}{of} {name}"
    return f"set{of} {name}" if _is_one_of(last, _SETS[language], language) else name


def without_article(description: str, language: str) -> str:
    """``description`` as it can stand behind "your"."""
    found = _ARTICLE[language].match(description)
    return description[found.end() :] if found else description


def _is_one_of(word: str, plurals: tuple[str, ...], language: str) -> bool:
    # Dutch writes what kind of shoes they are into the word.
    return word.endswith(plurals) if language == "nl" else word in plurals
