"""At a start nobody is troubled with what is only not there yet."""

from __future__ import annotations

import pytest
from nats.js.errors import NotFoundError

from services.answering import NoAnswerError
from services.starting import Starting


class _Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def _told(starting: Starting, error: Exception) -> str:
    said: list[str] = []
    starting.say(error, quietly=lambda: said.append("quietly"), aloud=lambda: said.append("aloud"))()
    return said[0]


@pytest.mark.parametrize(
    "away",
    [
        NoAnswerError("the projector does not run"),
        NotFoundError(description="stream not found"),
        TimeoutError(),
        ConnectionRefusedError(),
    ],
    ids=repr,
)
def test_what_is_only_not_there_yet_is_told_quietly_for_a_while(away: Exception) -> None:
    clock = _Clock()
    starting = Starting(clock)
    assert _told(starting, away) == "quietly"
    clock.time += 14
    assert _told(starting, away) == "quietly"
    clock.time += 2
    assert _told(starting, away) == "aloud"


def test_once_something_worked_trouble_is_trouble() -> None:
    starting = Starting(_Clock())
    starting.over()
    assert _told(starting, NoAnswerError("the projector does not run")) == "aloud"


def test_another_fault_is_told_aloud_at_once() -> None:
    assert _told(Starting(_Clock()), RuntimeError("odd")) == "aloud"
