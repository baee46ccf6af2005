"""messages preview: every message as a customer would read it, with a shop's own templates if it has any."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli.errors import Problem, one_line
from cli.nearest import check_message_kind
from cli.options import Json, place_of
from cli.output import console, print_json, show

if TYPE_CHECKING:
    from cli.specimens import Specimen
    from services.notifying.texting import TextForm
    from services.notifying.wording import Wording

    _Page = tuple[Specimen, Wording, TextForm]

_T = TypeVar("_T")


def preview(
    ctx: typer.Context,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", show_default=False, help="Only messages of this kind, such as overdue."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="CODE", show_default=False, help="Only in this language: en or nl."),
    ] = None,
    templates: Annotated[
        str | None,
        typer.Option(
            "--templates",
            metavar="FOLDER",
            show_default=False,
            help="With the shop's own templates in FOLDER; else those of the settings, if any.",
        ),
    ] = None,
    gallery: Annotated[
        str | None,
        typer.Option(
            "--gallery", metavar="FILE", show_default=False, help="Write one HTML page with all of them into FILE."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show every message as a customer would read it, as a letter and as a text, from invented examples.

    With what is wrong with the shop's own templates, if anything is: such a message is told in our words then, and the
    exit code is 1.
    """
    from cli.place import settings_of

    folder = Path(templates) if templates else settings_of(place_of(ctx)).templates
    if kind is not None:
        check_message_kind(kind)
    pages, faults = _worded(kind, _languages(language), folder)
    if gallery is not None:
        _write(Path(gallery), pages)
    if as_json:
        print_json({"messages": [_row(*page) for page in pages], "faults": faults})
    else:
        from cli.render.messages import faults as told
        from cli.render.messages import specimens

        if gallery is None:
            show(specimens([_row(*page) for page in pages]))
        else:
            console().print(f"{len(pages)} messages are in {gallery}.", highlight=False, soft_wrap=True)
        show(told(faults))
    if faults:
        raise typer.Exit(1)


def _languages(language: str | None) -> tuple[str, ...]:
    from services.notifying.dates import SPEECH

    if language is not None and language not in SPEECH:
        raise Problem(f"there are no messages in '{language}': there are {', '.join(sorted(SPEECH))}.")
    return tuple(each for each in SPEECH if language in (None, each))


def _worded(kind: str | None, languages: tuple[str, ...], folder: Path | None) -> tuple[list[_Page], list[str]]:
    """Each message of ``kind`` in each language, as a letter and as a text, and what is wrong with the templates in
    ``folder``, each once."""
    from cli.specimens import CARDS, specimens
    from services.notifying.templating import TemplateFaultError, our_templates, templates_in
    from services.notifying.texting import text_form_by
    from services.notifying.wording import worded_by

    def by_the_shop_or_us(word: Callable[..., _T], *args: object) -> _T:
        try:
            return word(*args, folder)
        except TemplateFaultError as fault:
            faults[str(fault)] = None
            return word(*args, None)

    faults: dict[str, None] = {}
    if folder is not None:
        try:
            # What begins with "_" is a part, for the shop's other templates.
            unknown = [name for name in templates_in(folder) if name not in our_templates() and "/_" not in f"/{name}"]
        except TemplateFaultError as fault:
            raise Problem(f"{fault}.") from None
        faults |= dict.fromkeys(f"{folder / name}: no message uses a file of this name" for name in unknown)
    pages: list[_Page] = []
    for language in languages:
        for each in specimens(language):
            if kind not in (None, each.kind):
                continue
            told = each.plan, CARDS, language
            pages.append((each, by_the_shop_or_us(worded_by, *told), by_the_shop_or_us(text_form_by, *told)))
    return pages, list(faults)


def _row(specimen: Specimen, wording: Wording, form: TextForm) -> dict[str, Any]:
    return {
        "kind": specimen.kind,
        "case": specimen.case,
        "language": wording.language,
        "subject": wording.subject,
        "body": wording.body,
        "text": form.text,
    }


def _write(file: Path, pages: list[_Page]) -> None:
    from cli.render.gallery import gallery

    try:
        file.write_text(gallery(pages), encoding="utf-8")
    except OSError as error:
        raise Problem(f"{file} cannot be written: {one_line(error)}.") from None
