"""What is mistyped finds nothing, which says something else: it is told what was meant, or what to write."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from cli.options import ROLES
from cli.render.look import TOLD_WORDS
from cli.render.messages import LETTERS, messages
from events import party
from events.chain import MessageKind
from services import contact
from tests.cli.drawing import MOMENTS, draw
from tests.cli.examples import MESSAGES
from tests.cli.running import answer, call, sentence
from tests.cli.story import make_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("wrong") / "home")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["orders", "--status", "in_transt"], "there is no status 'in_transt': did you mean in_transit?"),
        (["orders", "--status", "gone"], "there is no status 'gone': there are taken_in, in_transit, "),
        (["orders", "--holder", "juno"], "'juno' is not a party: write role:name"),
        (["handoffs", "--from", "juno"], "'juno' is not a party: write role:name"),
        (["ball", "--party", "shop:juno"], "'shop:juno' is not a party: write role:name"),
        (["commitments", "--kind", "repaire"], "there is no kind 'repaire': did you mean repair?"),
        (["status", "W-1001", "--as-of", "2026-01-01"], "'W-1001' at that moment: it was opened on Mon 2 Nov"),
        (["timeline", "W-1001", "--known-at", "2026-01-01"], "at that moment: nothing of it was known yet."),
        (["messages", "settle", "m1"], "say what was found out: --arrived or --never-arrived."),
        (
            ["messages", "preview", "--kind", "correctd"],
            "there is no kind of message 'correctd': did you mean corrected?",
        ),
        (["customer", "set", "W-1001", "--quiet", "25:00"], "'25:00' are no quiet hours: write two different times"),
        (["customer", "set", "W-1001", "--not-told", "updates"], "no kind of message 'updates': did you mean update?"),
        (["partner", "add", "retailer:juno", "--email", "juno"], "'juno' is not one e-mail address: write"),
        (["partner", "revoke", "retailer:juna"], "retailer:juna is not registered: see 'repairchain partner list'."),
    ],
)
def test_it_is_told_what_to_write(args: list[str], said: str, home: Path) -> None:
    assert said in sentence(call(*args, home=home))


@pytest.mark.parametrize(
    "args",
    [
        ["today"],
        ["orders", "--holder"],
        ["ball", "--party"],
        ["commitments", "--owner"],
        ["promises", "--party"],
        ["handoffs", "--to"],
    ],
)
def test_of_whom_nobody_has_heard_there_is_nothing_and_that_is_said(args: list[str], home: Path) -> None:
    stranger = "retailer:juna is not known here: did you mean retailer:juno?"
    told = call(*args, "retailer:juna", home=home)
    assert (told.exit_code, told.stdout.splitlines()[-1]) == (0, stranger)
    assert "not known here" not in call(*args, "repairer:tick", home=home).stdout  # named, and owing nothing or not
    answer(*args, "retailer:juna", home=home)  # a program gets its document and nothing else


def test_the_roles_are_those_of_parties() -> None:
    assert ROLES == party.ROLES


def test_the_channels_of_letters_are_those_of_the_notifier() -> None:
    kinds = ("email", "webhook", "sms", "whatsapp")
    assert tuple(kind for kind in kinds if not contact.is_for_texts(kind)) == LETTERS


def test_what_she_was_told_has_words_for_every_kind_of_message() -> None:
    assert TOLD_WORDS.keys() - {"contact"} == set(get_args(MessageKind))


def test_a_message_of_which_nobody_knows_says_how_to_settle_it() -> None:
    row = MESSAGES["messages"][0] | {"message_id": "msg-7", "sent_at": None}
    told = draw(messages({"messages": [row | {"status": "unknown"}]}, MOMENTS))
    assert "repairchain messages settle msg-7 --arrived" in told
    assert "settle" not in draw(messages({"messages": [row | {"status": "failed"}]}, MOMENTS))
