"""Asks before something is done that cannot be undone."""

from __future__ import annotations

import sys

import typer

from cli.errors import Problem


def confirm(question: str) -> bool:
    """Whether a person says yes. Raises Problem where nobody is there who could be asked.

    It is asked on standard error: of the other, --json has one document and a file may take it.
    """
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():  # Ctrl-C, or the end of the input: somebody was there
            raise
        print(file=sys.stderr)  # after the question
        raise Problem("nobody is there to be asked: say --yes if it is meant.") from None
