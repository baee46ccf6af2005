"""All messages on one HTML page, each as it looks on a telephone. The page holds everything that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jinja2 import Template

    from cli.specimens import Specimen
    from services.notifying.texting import TextForm
    from services.notifying.wording import Wording

_LANGUAGES: Final = {"en": "English", "nl": "Nederlands"}


def gallery(pages: Sequence[tuple[Specimen, Wording, TextForm]]) -> str:
    """The page: an index, then one frame per message, by language and kind."""
    from cli.specimens import CARDS
    from services.notifying.html import html_of
    from services.notifying.wording import card_of, salutation

    languages: dict[str, dict[str, list[dict[str, str]]]] = {}
    for number, (specimen, wording, form) in enumerate(pages):
        us = card_of(specimen.plan.accountable, CARDS).display_name
        text = f"{salutation(_customer(wording.language), wording.language)}\n\n{wording.body}"
        kinds = languages.setdefault(_LANGUAGES.get(wording.language, wording.language), {})
        kinds.setdefault(specimen.kind, []).append(
            {
                "id": f"m{number}",
                "case": specimen.case,
                "from": us,
                "subject": wording.subject,
                "text": text,
                "short": form.text,
                "html": html_of(text, language=wording.language, subject=wording.subject, us=us),
            }
        )
    return _page().render(languages=languages, count=len(pages))


def _customer(language: str) -> str:
    from cli.specimens import CUSTOMER

    return CUSTOMER if language == "en" else CUSTOMER.replace("Ms", "mevrouw")


@cache
def _page() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("cli.render", "pages"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("gallery.html.j2")
