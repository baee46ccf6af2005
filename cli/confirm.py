"""Asks before something is done that cannot be undone."""

from __future__ import annotations

import sys

import typer

from cli.errors import Problem


def confirm(question: str) -> bool:
    """Whether a person says yes. Raises Problem where nobody is there who could be asked."""
    try:
        return typer.confirm(question)
    except typer.Abort:
        if sys.stdin.isatty():  # Ctrl-C, or the end of the input: somebody was there
            raise
        print()  # after the question
        raise Problem("nobody is there to be asked: say --yes if it is meant.") from None
