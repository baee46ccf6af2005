"""schema: the vocabulary as documents for machines, and as a list for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import Problem, one_line
from cli.nearest import hint_for_type
from cli.options import Json
from cli.output import console, print_json


def schema(
    type_name: Annotated[
        str | None,
        typer.Argument(metavar="TYPE", show_default=False, help="A fact's name, such as item.handed_over."),
    ] = None,
    asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="The AsyncAPI 3 document: who sends what where, and what it hears.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write a file per type, and asyncapi.json, into this folder.", file_okay=False
        ),
    ] = None,
    pages: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write a readable page per type, and one that lists them.", file_okay=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the schema of a fact, or list all facts.

    Files of an earlier release in the folder of --out are replaced only by schemas that allow all that they allow: what
    a partner's program was written against goes on to hold (docs/compatibility.md).
    """
    from events.asyncapi import asyncapi as asyncapi_document
    from events.schema import event_schema, schemas

    if type_name is not None and (asyncapi or out or pages):
        raise Problem("name a type, or ask for --asyncapi, --out or --pages, not both.")
    if pages is not None:
        from events.pages import pages as made

        _write(pages, made(), "--pages")
        console().print(f"{len(made())} pages are in {pages}", soft_wrap=True)
    if out is not None:
        _refuse_a_break(out)
        _write(out, {f"{name}.json": _text(document) for name, document in schemas().items()}, "--out")
        _write(out, {"asyncapi.json": _text(asyncapi_document())}, "--out")
        console().print(f"{len(schemas())} schemas and asyncapi.json are in {out}", soft_wrap=True)
    if out is not None or pages is not None:
        return
    if asyncapi:
        print_json(asyncapi_document())
    elif type_name is not None:
        print_json(event_schema(_known(type_name)))
    elif as_json:
        print_json(schemas())
    else:
        _list()


def _known(text: str) -> str:
    """The name in ``item.received``, ``item.received.v1`` or ``repairchain.item.received.v1``."""
    from events.vocabulary import FACTS

    name, _, version = text.removeprefix("repairchain.").partition(".v")
    if name in FACTS and version in ("", str(FACTS[name].VERSION)):
        return name
    raise Problem(f"there is no fact '{text}': {hint_for_type(text, in_full=False)}")


def _refuse_a_break(folder: Path) -> None:
    """Raise Problem if the schemas in ``folder`` allow, or promise, what ours do not."""
    from events.asyncapi import asyncapi
    from events.compatibility import broken_types, unsaid
    from events.schema import schemas

    released = {
        name: _read(folder / f"{name}.json") for name in (file.stem for file in folder.glob("repairchain.*.json"))
    }
    faults = broken_types(released, schemas())
    if (told := folder / "asyncapi.json").exists():
        before, now = _read(told)["components"]["messages"], asyncapi()["components"]["messages"]
        for name in ("receipts", "notice"):
            faults += [f"{name}: {fault}" for fault in unsaid(before[name]["payload"], now[name]["payload"])]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Problem(f"{faults[0]}{more}: this would break partners; make it a new version of the type.")


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(f"{file} cannot be read ({one_line(error)}): move it away.") from None


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _write(folder: Path, files: dict[str, str], option: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"{folder} cannot be written ({one_line(error)}): name another folder with {option}.") from None


def _list() -> None:
    from rich.text import Text

    from cli.render.tables import plain_table
    from events.vocabulary import FACTS, WHO_MAY_SAY

    table = plain_table("Fact", "What it says", "Who says it")
    for name, fact in FACTS.items():
        said_by = ", ".join(role for role, names in WHO_MAY_SAY.items() if name in names)
        # Marked up for the pages; on a terminal the marks would be noise.
        says = (fact.__doc__ or "").strip().splitlines()[0].replace("``", "'")
        table.add_row(Text(name, style="bold"), Text(says), Text(said_by))
    console().print(table)
