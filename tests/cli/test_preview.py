"""Previews of messages: in the terminal, on a page, with a shop's own templates and what is wrong with them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from cli.render import messages
from cli.specimens import specimens
from events.chain import MessageKind
from tests.cli.drawing import MOMENTS, draw
from tests.cli.running import answer, call, sentence
from tests.services.notifying.letters import LATE

KINDS = set(get_args(MessageKind))


def test_there_is_an_example_of_every_kind_and_every_delay() -> None:
    assert {each.kind for each in specimens()} == KINDS
    assert {each.plan.news.late for each in specimens() if each.kind == "overdue"} == set(LATE)


def test_every_message_is_shown_in_every_language(free_home: Path) -> None:
    told = answer("messages", "preview", home=free_home)
    assert told["faults"] == []
    assert {(each["kind"], each["language"]) for each in told["messages"]} == {
        (kind, language) for kind in KINDS for language in ("en", "nl")
    }
    assert len(told["messages"]) == len({(each["language"], each["body"]) for each in told["messages"]})


def test_what_went_to_a_telephone_is_shown_as_it_went() -> None:
    row = {"kind": "opened", "language": "en", "status": "sent", "subject": "Your watch", "body": "Juno:\nIt is here."}
    told = {
        channel: draw(messages.message(row | {"channel": channel, "order_id": "W-1"}, MOMENTS))
        for channel in ("sms", "email")
    }
    assert "Your watch" not in told["sms"]
    assert "  │ Juno:\n  │ It is here." in told["sms"]
    assert "  Your watch\n  │ Juno:" in told["email"]


def test_one_kind_in_one_language(free_home: Path) -> None:
    shown = call("messages", "preview", "--kind", "visit", "--language", "nl", home=free_home).stdout
    assert "✉ visit, nl: planned\n  We komen langs voor uw Kettlebrook Steam 3: woensdag 25 november\n" in shown
    assert "  │ Waarvoor we komen: “de klep vervangen”." in shown
    assert re.search(r"  as a text, in \d+ characters:\n  │ Bridge Street Jewellers:\n  │ We komen bij u langs", shown)
    assert "visit, en" not in shown
    assert "overdue" not in shown


def test_a_price_that_changed_and_a_complaint_that_waits_are_among_them(free_home: Path) -> None:
    shown = call("messages", "preview", "--language", "en", home=free_home).stdout
    assert "✉ quote, en: more than she was told" in shown
    assert "costs more than we wrote to you: €145.00" in shown
    assert "costs less than we wrote to you: €145.00" in shown
    assert "✉ overdue, en: forward: no visit planned" in shown
    assert "  What you told us about your Kettlebrook Steam 3: our answer is late" in shown
    assert "  Your question about your Kettlebrook Steam 3: our answer is late" in shown


def test_what_cannot_be_shown(free_home: Path, tmp_path: Path) -> None:
    preview = ("messages", "preview")
    assert sentence(call(*preview, "--kind", "letters", home=free_home)).startswith(
        "there is no kind of message 'letters': there are opened, received,"
    )
    assert sentence(call(*preview, "--language", "de", home=free_home)) == (
        "there are no messages in 'de': there are en, nl."
    )
    missing = tmp_path / "nowhere"
    assert sentence(call(*preview, "--templates", missing, home=free_home)) == f"{missing}: there is no such folder."
    assert "cannot be written" in sentence(call(*preview, "--gallery", missing / "x.html", home=free_home))


class _Frames(HTMLParser):
    """The letters in the frames of a page, and what the page would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.letters: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "iframe":
            self.letters.append(given["srcdoc"] or "")
        self.loaded += [value for name in ("src", "data") if (value := given.get(name))]
        self.ids |= {given["id"] or ""} if "id" in given else set()
        if tag in ("a", "link"):
            self.links.add(given["href"] or "")


def test_the_gallery_is_one_page_that_holds_everything(free_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "gallery.html"
    told = call("messages", "preview", "--gallery", file, home=free_home)
    page = file.read_text(encoding="utf-8")
    frames = _Frames(page)
    assert f"{len(frames.letters)} messages are in {file}." in told.stdout.replace("\n", " ")
    assert len(frames.letters) == 2 * len(specimens())
    assert frames.loaded == []
    assert frames.links == {f"#{each}" for each in frames.ids}
    assert all("width=device-width" in letter for letter in frames.letters)
    assert not re.search(r"https?://|@import|url\(", page)


def test_the_shops_own_templates_are_shown(free_home: Path, tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/_ours.j2").write_text("Ring the bell twice.")
    (tmp_path / "en/check.body.j2").write_text(
        '{% extends "en/_letter.j2" %}{% block story %}{% include "en/_ours.j2" %}{% endblock %}'
    )
    told = call("messages", "preview", "--kind", "check", "--language", "en", "--templates", tmp_path, home=free_home)
    assert told.exit_code == 0, told.output
    assert "│ Ring the bell twice." in told.stdout


def test_what_is_wrong_with_them_is_said(free_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/check.body.j2").write_text("First line\n{{ nonsense }}\n")
    (tmp_path / "en/chek.body.j2").write_text("x")
    monkeypatch.setenv("REPAIRCHAIN_TEMPLATES", str(tmp_path))
    told = call("messages", "preview", "--kind", "check", "--language", "en", home=free_home, columns=400)
    assert told.exit_code == 1
    assert f"✗ {tmp_path}/en/check.body.j2, line 2: 'nonsense' is undefined" in told.stdout
    assert f"✗ {tmp_path}/en/chek.body.j2: no message uses a file of this name" in told.stdout
    assert "Is all well with your Meridian Diver 200?" in told.stdout  # in our words
    document = call("messages", "preview", "--kind", "check", "--json", home=free_home).stdout
    assert document.count("nonsense") == 1
    monkeypatch.delenv("REPAIRCHAIN_TEMPLATES")
    free_home.mkdir()
    (free_home / "repairchain.toml").write_text(f'templates = "{tmp_path}"')
    assert call("messages", "preview", "--kind", "check", "--json", home=free_home).exit_code == 1


def test_messages_are_listed_unless_another_command_is_named(free_home: Path) -> None:
    for args in ((), ("W-1",), ("--limit", "3"), ("W-1", "--json"), ("list",), ("list", "preview")):
        assert "no chain runs" in sentence(call("messages", *args, home=free_home)), args
    told = call("messages", "--help", home=free_home).stdout
    assert "list " in told
    assert "preview " in told
