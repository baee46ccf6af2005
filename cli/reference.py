"""The command reference, docs/cli.md, made from the commands themselves: ``python -m cli.reference > docs/cli.md``."""

from __future__ import annotations

from typing import Any

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

_INTRODUCTION = """\
<!-- Made by `python -m cli.reference > docs/cli.md`; a test compares the two. -->

Every query takes `--json` (field names: [json.md](json.md)). Exit codes: 0 done; 1 where a command says so below
(`verify` found differences; `publish`, `import` or `rejected retry` had something rejected; a file to `import` breaks
off; `doctor` found something wrong); 2 it could not be done, and one sentence on stderr says why and what to do; 130
Ctrl-C; 141 the reader of a pipe went away.

"""


def reference() -> str:
    """The whole reference as Markdown."""
    from cli.commands import app

    command = get_command(app)
    context = typer.Context(command, info_name="repairchain", **command.context_settings)
    docs: str = get_docs_for_click(obj=command, ctx=context, name="repairchain")
    title, rest = _uncut(docs, command).split("\n\n", 1)
    return f"{title}\n\n{_INTRODUCTION}{rest.strip()}\n"


def _uncut(docs: str, command: Any) -> str:
    """typer cuts the lists of commands to 45 characters a line; a document has room."""
    for name, each in command.commands.items():
        docs = docs.replace(
            f"* `{name}`: {each.get_short_help_str()}\n", f"* `{name}`: {each.get_short_help_str(1_000)}\n"
        )
        if hasattr(each, "commands"):
            docs = _uncut(docs, each)
    return docs


if __name__ == "__main__":
    print(reference(), end="")
