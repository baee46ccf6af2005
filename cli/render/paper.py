"""The console that everything is printed on."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console


class Paper(Console):
    """Takes no markup from what others wrote, and tells a reader that went away from other failures."""

    def __init__(self, width: int | None = None) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, width=width)

    def on_broken_pipe(self) -> NoReturn:
        # rich would end the process with exit code 1, which means something else here.
        raise BrokenPipeError
