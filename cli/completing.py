"""Tab completes commands and options: typer's scripts for the shells, offered in fewer words than its own options."""

from __future__ import annotations

import os
from typing import Final

import typer

from cli.errors import one_line

_PROGRAM: Final = "repairchain"
#: In which the script asks what fits; typer derives the same name.
_ASKED: Final = "_REPAIRCHAIN_COMPLETE"
#: Of those that typer knows; to install anything in PowerShell it would let all scripts run there.
_SHELLS: Final = ("bash", "zsh", "fish")


def prepare() -> None:
    """Where a shell asks what fits, know the shells; typer answers it instead of running a command."""
    if _ASKED in os.environ:
        from typer._completion_classes import completion_init

        completion_init()


def show(ctx: typer.Context, asked: bool) -> None:
    """Print the script of the shell in which this runs, and leave. Raises typer.BadParameter if it is none of them."""
    if asked and not ctx.resilient_parsing:
        from typer._completion_shared import get_completion_script

        print(get_completion_script(prog_name=_PROGRAM, complete_var=_ASKED, shell=_shell()))
        raise typer.Exit


def install(ctx: typer.Context, asked: bool) -> None:
    """Put the script where that shell finds it, and leave. Raises typer.BadParameter where ``show`` does."""
    if asked and not ctx.resilient_parsing:
        from typer._completion_shared import install as written

        try:
            shell, file = written(shell=_shell(), prog_name=_PROGRAM, complete_var=_ASKED)
        except OSError as error:
            raise typer.BadParameter(f"{one_line(error)}; --show-completion prints what to put there.") from None
        print(f"{shell} completes {_PROGRAM} in each terminal that you open from now on, by {file}.")
        raise typer.Exit


def _shell() -> str:
    from typer._completion_shared import _get_shell_name

    name = _get_shell_name()
    if name not in _SHELLS:
        raise typer.BadParameter(f"this runs in {name or 'no shell'}: run it in {', '.join(_SHELLS)}.")
    return name
