"""A shop's own templates win over ours; one that fails keeps no message from her."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.notifying.dates import ZONE
from services.notifying.html import html_of
from services.notifying.templating import VARIABLE, TemplateFaultError, our_templates, templates_in
from services.notifying.values import values_of
from services.notifying.wording import compose, salutation, worded_by
from tests.services.notifying.letters import CARDS, KINDS, planned

OWN = """\
{% extends "en/_letter.j2" %}
{% block story %}
Hurrah for your {{ thing }}!
{% endblock %}
"""


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_what_the_shop_has_wins_and_the_rest_is_ours(tmp_path: Path) -> None:
    write(tmp_path, "en/opened.body.j2", OWN)
    told = compose(planned("opened"), CARDS, "en", templates=tmp_path)
    assert told.body.startswith("Hurrah for your Halden Meridian 36!\n\nYou will hear from us again by Monday")
    assert told.story == "Hurrah for your Halden Meridian 36!\n"
    assert told.subject == compose(planned("opened"), CARDS, "en").subject
    dutch = compose(planned("opened"), CARDS, "nl", templates=tmp_path)
    assert dutch == compose(planned("opened"), CARDS, "nl")


def test_the_environment_names_the_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "en/salutation.j2", "Good day, {{ name }}!")
    assert salutation("Anna", "en") == "Dear Anna,"
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert salutation("Anna", "en") == "Good day, Anna!"


def test_a_change_is_taken_up_without_a_restart(tmp_path: Path) -> None:
    write(tmp_path, "en/opened.subject.j2", "One")
    assert compose(planned("opened"), CARDS, "en", templates=tmp_path).subject == "One"
    write(tmp_path, "en/opened.subject.j2", "Two and more")
    assert compose(planned("opened"), CARDS, "en", templates=tmp_path).subject == "Two and more"


def test_a_file_that_is_added_or_taken_away_is_noticed_without_a_restart(tmp_path: Path) -> None:
    write(tmp_path, "en/salutation.j2", "Dear {{ name }}!")
    ours = compose(planned("opened"), CARDS, "en", templates=tmp_path)
    added = write(tmp_path, "en/opened.subject.j2", "Ours no more")
    assert compose(planned("opened"), CARDS, "en", templates=tmp_path).subject == "Ours no more"
    added.unlink()
    assert compose(planned("opened"), CARDS, "en", templates=tmp_path) == ours
    write(tmp_path, "nl/opened.subject.j2", "Een nieuwe taal")
    assert compose(planned("opened"), CARDS, "nl", templates=tmp_path).subject == "Een nieuwe taal"


@pytest.mark.parametrize(
    ("name", "text", "line", "problem"),
    [
        ("en/opened.body.j2", "{% if %}\n", 1, "Expected an expression"),
        ("en/opened.body.j2", OWN.replace("thing", "nonsense"), 3, "'nonsense' is undefined"),
        ("en/opened.body.j2", OWN.replace("thing", "1 / 0"), 3, "ZeroDivisionError"),
        ("en/opened.body.j2", OWN.replace("thing", "order.__class__.__mro__"), 3, "unsafe"),
        ("en/opened.subject.j2", "{{ names['Anna'] }}", 1, "'names' is undefined"),
        ("en/opened.subject.j2", "  ", None, "the subject is empty"),
        (
            "en/_letter.j2",
            "{{ order }}{% block story %}{% endblock %}",
            None,
            "the date of the next news",
        ),
        ("en/_letter.j2", "{{ next_news }}{% block story %}{% endblock %}", None, "the order's number"),
        ("en/_parts.j2", "{% macro reach( %}", 1, "expected token"),
    ],
)
def test_a_template_that_fails_is_named_and_ours_takes_its_place(
    tmp_path: Path, name: str, text: str, line: int | None, problem: str
) -> None:
    file = write(tmp_path, name, text)
    plan = planned("opened")
    with capture_logs() as logs:
        told = compose(plan, CARDS, "en", templates=tmp_path)
    assert told == compose(plan, CARDS, "en")
    (entry,) = logs
    assert entry["log_level"] == "error"
    assert problem in entry["problem"]
    assert entry["line"] == line
    if line is not None:
        assert entry["file"] == str(file)
    with pytest.raises(TemplateFaultError, match=r"opened|_letter|_parts"):
        worded_by(plan, CARDS, "en", tmp_path)


def test_a_file_that_is_no_text_and_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/opened.body.j2").write_bytes(b"\xff\xfe\x00")
    for folder in (tmp_path, tmp_path / "nowhere"):
        with capture_logs() as logs:
            assert compose(planned("opened"), CARDS, "en", templates=folder) == compose(planned("opened"), CARDS, "en")
        assert [entry["log_level"] for entry in logs] == ["error"]


def test_neither_name_nor_text_of_hers_comes_into_the_log(tmp_path: Path) -> None:
    write(tmp_path, "en/salutation.j2", "{{ name | int + name }}")
    with capture_logs() as logs:
        assert salutation("Anna de Wit", "en", templates=tmp_path) == "Dear Anna de Wit,"
    assert "Anna" not in str(logs)


def test_the_page_may_be_the_shops_too(tmp_path: Path) -> None:
    write(tmp_path, "letter.html.j2", "<p>{{ blocks[0].lines[0] }}</p>")
    assert html_of("<b>\n", language="en", subject="", us="", templates=tmp_path) == "<p>&lt;b&gt;</p>"
    write(tmp_path, "letter.html.j2", "{{ nothing }}")
    with capture_logs() as logs:
        assert "<html" in html_of("x\n", language="en", subject="", us="", templates=tmp_path)
    assert logs[0]["file"] == str(tmp_path / "letter.html.j2")


def test_a_name_that_no_message_uses_can_be_seen(tmp_path: Path) -> None:
    write(tmp_path, "en/opend.body.j2", "x")
    assert set(templates_in(tmp_path)) - our_templates() == {"en/opend.body.j2"}


def test_what_a_template_may_use_is_told() -> None:
    told = (Path(__file__).parents[3] / "docs/messages.md").read_text(encoding="utf-8")
    table = told.rpartition("| value | meaning |")[2]
    named = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.partition(" | ")[0])}
    assert named == set(values_of(planned("opened"), CARDS, "en", ZONE, urgent=False))
    kinds = told.partition("| value |")[0]
    assert [kind for kind in KINDS if f"`{kind}`" not in kinds] == []


def test_the_example_in_the_document_is_a_template(tmp_path: Path) -> None:
    told = (Path(__file__).parents[3] / "docs/messages.md").read_text(encoding="utf-8")
    example = re.search(r"```jinja\n(.*?)```", told, re.DOTALL)
    assert example is not None
    write(tmp_path, "en/opened.body.j2", example[1])
    assert worded_by(planned("opened"), CARDS, "en", tmp_path).body.startswith("Thank you for bringing us your Halden")
