"""What became of one attempt to deliver a letter. Reasons go into the log: they hold no name and no address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Delivered:
    """The channel took it over."""


@dataclass(frozen=True)
class Failed:
    """It certainly did not leave. ``again``: another attempt may help."""

    reason: str
    again: bool = True
    #: The channel asked for so many seconds of patience.
    retry_after: float | None = None


@dataclass(frozen=True)
class Unknown:
    """It may have left or not; another attempt could tell her twice."""

    reason: str


Outcome = Delivered | Failed | Unknown
