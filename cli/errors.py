"""What the command line does when something goes wrong: one sentence on stderr, and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import typer
from typer._click.exceptions import ClickException, NoArgsIsHelpError, UsageError

from cli.quick import QuickGroup
from cli.render.plain import clean

INTERRUPTED = 130  # what a shell reports for a process that Ctrl-C ended
BROKEN_PIPE = 141  # and for one whose reader went away


class Problem(Exception):
    """Something the user can mend; the message says what and how, in one sentence."""

    def __init__(self, sentence: str, exit_code: int = 2) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class Refused(Problem):
    """A question that the chain, or its file, cannot answer as it was asked."""


def one_line(error: BaseException) -> str:
    """The first line of an error's own text, or its type when it has none, for a sentence of ours."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return clean(lines[0]).rstrip(".") if lines else type(error).__name__


def unforeseen(error: BaseException) -> str:
    """The sentence for what nothing better is said of."""
    refused = getattr(error, "description", None)
    if refused and type(error).__module__ == "nats.js.errors":  # by its name, for help is to be there at once
        return f"the server refused this: {refused} ('repairchain doctor' says what to mend)."
    return (
        f"this went wrong in a way that repairchain did not foresee: {type(error).__name__}: {one_line(error)} "
        "('repairchain --traceback …' shows where)."
    )


def complain(sentence: str) -> None:
    """One sentence on stderr; the program's name tells it from the output of others in a script."""
    said = clean(sentence).removesuffix(".") if sentence.endswith("?.") else clean(sentence)  # a hint may be a question
    with suppress(OSError):  # the exit code says it, too
        print(f"repairchain: {said}", file=sys.stderr)


class Chain(QuickGroup):
    """The root of all commands: whatever a command raises ends here, and never as a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run and leave with the exit code that the command, or its failure, asks for."""
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except NoArgsIsHelpError as asked:
            print(asked.format_message())
            code = 0
        except ClickException as error:
            complain(_usage_sentence(error))
            code = 2
        except typer.Abort:
            complain("stopped before anything was done.")
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read what was asked for; the help of all commands is printed here."""
        with _written():
            try:
                return super().make_context(*args, **extra)
            finally:
                sys.stdout.flush()

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # typer's public name for the same class
        """Run the command that was asked for, and turn its failures into a sentence."""
        try:
            with _written():
                done = super().invoke(ctx)
                sys.stdout.flush()  # here, where a reader that went away or a full disk is no surprise
                return done
        except (ClickException, typer.Exit, typer.Abort):
            raise
        except Problem as problem:
            complain(str(problem))
            raise typer.Exit(problem.exit_code) from None
        except Exception as error:  # the last stop: a user gets a sentence, a developer can ask for the rest
            if ctx.params.get("traceback"):
                raise
            complain(unforeseen(error))
            raise typer.Exit(2) from None


@contextmanager
def _written() -> Iterator[None]:
    """Turn what cannot be read or written within it into a sentence, and a reader that went away into silence."""
    try:
        yield
    except BrokenPipeError:
        _mute_stdout()
        raise typer.Exit(BROKEN_PIPE) from None
    except OSError as error:
        _mute_stdout()
        complain(f"something could not be read or written: {one_line(error)}.")
        raise typer.Exit(2) from None


def _usage_sentence(error: ClickException) -> str:
    message = " ".join(error.format_message().split())
    if isinstance(error, UsageError) and error.ctx is not None:
        message += "" if message.endswith((".", "?")) else "."
        return f"{message[:1].lower()}{message[1:]} See '{error.ctx.command_path} --help'."
    return message


def _mute_stdout() -> None:
    """Python flushes stdout once more at exit, which would complain a second time about the closed pipe."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # stdout is not a real file (a test's buffer): nothing will be flushed into a pipe
