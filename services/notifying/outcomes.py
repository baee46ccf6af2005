"""What became of one attempt to deliver a letter. Reasons go into the log: they hold no name and no address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Delivered:
    """The channel took it over."""


@dataclass(frozen=True)
class Failed:
    """It certainly did not leave, or its channel takes a letter that comes twice as one.

    ``again``: another attempt may help.
    """

    reason: str
    again: bool = True
    #: The channel asked for so many seconds of patience.
    retry_after: float | None = None
    #: For now, but about this recipient or this letter, as every failure for good is: the service itself is well.
    hers: bool = False


@dataclass(frozen=True)
class Unknown:
    """It may have left or not; another attempt could tell her twice."""

    reason: str


Outcome = Delivered | Failed | Unknown


def is_trouble(outcome: Outcome) -> bool:
    """Whether the service itself is in trouble, so that the next letter would most likely fare no better."""
    match outcome:
        case Delivered():
            return False
        case Failed(again=again, hers=hers):
            return again and not hers
        case Unknown():
            return True
