"""How commands name a partner, and a key of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.errors import Problem

Party = Annotated[
    str,
    typer.Argument(metavar="ROLE:NAME", help="A retailer, importer or repairer: retailer:juno, or retailer juno."),
]
Name = Annotated[str | None, typer.Argument(metavar="NAME", help="If the role stands alone.", show_default=False)]
Nkey = Annotated[
    str | None,
    typer.Option("--nkey", metavar="U…", help="The public half of a key that it made itself; else one is made here."),
]


def party_of(role: str, name: str | None) -> str:
    """``retailer juno`` and ``retailer:juno`` are the same."""
    if name is None:
        return role
    if ":" in role:
        raise Problem(f"'{role}' names a partner already: write {role}, or a role and a name.")
    return f"{role}:{name}"
