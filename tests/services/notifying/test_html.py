"""The letter as HTML says the same words as its text, and loads nothing."""

from __future__ import annotations

import itertools
from html.parser import HTMLParser

from services.notifying.html import html_of
from services.notifying.wording import compose
from tests.about import about
from tests.services.notifying.letters import CARDS, KINDS, LANGUAGES, NEWS, PROMISED, planned


class Page(HTMLParser):
    """What stands in the body, and where."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.title = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.news: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self._open.append((tag, dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self._open]
        if "title" in inside:
            self.title += data
        elif "body" in inside:
            self.words += data.split()
            if ("p", "news") in self._open:
                self.news.append(data)


def _words(text: str) -> list[str]:
    return " ".join(line.removeprefix("- ") for line in text.splitlines()).split()


def test_text_and_html_say_the_same_words() -> None:
    date = {"en": "Monday 30 November at 17:00", "nl": "maandag 30 november om 17.00 uur"}
    for kind, language in itertools.product(KINDS, LANGUAGES):
        with about(kind, language):
            plan = planned(kind)
            wording = compose(plan, CARDS, language)
            text = f"Dear O'Hara & <Zoë>,\n\n{wording.body}"
            page = Page(html_of(text, language=language, subject=wording.subject, us="Juno Watches"))
            assert page.words == _words(text)
            assert page.title == wording.subject
            # The sentence with the date of the next news, and no other, is set apart.
            assert len(page.news) == 1
            if plan.next_news_by == PROMISED:
                assert date[language] in page.news[0]


def test_it_is_made_for_a_telephone_and_loads_nothing() -> None:
    html = html_of("Hello,\n\nA text.\n", language="nl-BE", subject="x", us="Juno")
    tags = [tag for tag, _ in Page(html).elements]
    assert not {"script", "img", "link", "iframe", "object", "form", "a"} & set(tags)
    assert "http" not in html
    assert "url(" not in html
    assert '<html lang="nl">' in html
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in html
    assert "prefers-color-scheme: dark" in html
    assert "font-size:16px" in html


def test_lists_are_lists() -> None:
    html = html_of(
        "What we do now is up to you. You can choose:\n- your money back\n- a <new> one\n",
        language="en",
        subject="",
        us="",
    )
    assert "<ul>\n<li>your money back</li>\n<li>a &lt;new&gt; one</li>\n</ul>" in html


def test_what_others_wrote_is_text() -> None:
    text = 'Dear <script>alert("x")</script>,\n\n{{ 7 * 7 }} & more\n'
    html = html_of(text, language="en", subject="<b>", us="Juno")
    assert "<script" not in html
    assert "<b>" not in html
    assert "{{ 7 * 7 }} &amp; more" in html


def test_the_name_that_it_is_signed_with_stands_out_only_at_the_end() -> None:
    wording = compose(planned("opened", NEWS), CARDS, "en")
    html = html_of(wording.body, language="en", subject=wording.subject, us="Juno Watches")
    assert html.count("<strong>Juno Watches</strong>") == html.count("<strong>") == 1
