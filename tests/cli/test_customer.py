"""What customers say and write, against a chain that really runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from cli import forgotten, mail
from cli.errors import Problem
from tests.cli.imapserver import ImapServer
from tests.cli.running import answer, call, sentence
from tests.cli.together import running_together
from tests.services.desk.letters import bounce, letter

SHOP = "retailer:juno"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a chain that runs, all of its services ready."""
    folder = tmp_path_factory.mktemp("desk") / "home"
    with running_together(folder):
        yield folder


@pytest.fixture(autouse=True)
def _the_desk_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the desk may take longer than a person waits: then nobody can tell if she was forgotten."""
    monkeypatch.setattr(forgotten, "_PATIENCE", 60.0)


@pytest.fixture
def order(home: Path, request: pytest.FixtureRequest) -> str:
    """An order of a customer of its own, named after the test."""
    name = request.node.name.replace("_", "-").partition("[")[0][:40].strip("-")
    contact = {"name": "Zo Kanariella", "channels": [{"kind": "email", "address": "zo@kooi.example"}]}
    publish(home, "order.opened", f"{name}-1", {"product": {}, "customer": f"{name}-c", "contact": contact})
    return f"{name}-1"


def publish(home: Path, name: str, order: str, data: dict[str, Any]) -> None:
    event = {
        "specversion": "1.0",
        "id": f"{order} {name}",
        "source": SHOP,
        "type": f"repairchain.{name}.v1",
        "subject": order,
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }
    assert answer("publish", "-", home=home, stdin=json.dumps(event))["accepted"] == 1


def told(home: Path, order: str) -> str:
    """The id of our first message about an order; it is planned in a moment."""
    for _ in range(500):
        if messages := answer("messages", order, home=home)["messages"]:
            return str(messages[0]["message_id"])
    raise AssertionError("no message was planned")


def until_sent(home: Path, order: str) -> None:
    """Until our first message about an order has left."""
    for _ in range(500):
        if [each for each in answer("messages", order, home=home)["messages"] if each["status"] == "sent"]:
            return
    raise AssertionError("no message was sent")


def received(home: Path, raw: bytes) -> Any:
    (taken,) = answer("mail", "receive", home=home, stdin=raw)["letters"]
    return taken


def types(taken: Any) -> list[str]:
    return [fact["type"] for fact in taken["facts"]]


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_a_word_is_taken_down_and_told_on_the_timeline(home: Path, order: str) -> None:
    said = call("customer", "reply", order, "When is it done, asks Zo Kanariella?", "--channel", "phone", home=home)
    assert said.exit_code == 0, said.output
    assert "asked retailer:juno (phone): When is it done, asks […]?" in said.stdout
    again = answer(
        "customer", "reply", order, "-", "--channel", "phone", home=home, stdin="When is it done, asks Zo Kanariella?"
    )
    assert again["outcome"] == "duplicate"
    call("customer", "reply", order, "It ticks.", "--channel", "visit", home=home)
    (by_telephone,) = answer("customer", "reply", order, "It stands still.", home=home)["facts"]
    assert by_telephone["data"]["channel"] == "phone"
    story = " ".join(call("timeline", order, home=home, columns=200).stdout.split())
    assert f"customer:{order[:-2]}-c asked retailer:juno (phone): When is it done" in story
    assert "☎ customer:" in story
    assert "got in touch (visit): It ticks." in story
    contacts = [row for row in answer("today", SHOP, home=home)["contacts"] if row["order"] == order]
    assert [(row["channel"], row["text"][:4]) for row in contacts] == [
        ("phone", "It s"),
        ("visit", "It t"),
        ("phone", "When"),
    ]


def test_a_yes_to_a_price(home: Path, order: str) -> None:
    publish(home, "quote.offered", order, {"quote": "Q-1", "amount": "80.00", "currency": "EUR"})
    said = call("customer", "reply", order, "--accept", home=home)
    assert "said yes to the quote Q-1" in said.stdout
    assert answer("status", order, home=home)["status"] == "approved"
    assert "no price waits" in sentence(call("customer", "reply", order, "--decline", home=home))


def test_orders_are_found_by_a_part_of_her_name(home: Path, order: str) -> None:
    found = answer("find", "KANÁRI", "zo", home=home)
    (hers,) = [row for row in found["customers"] if row["customer"] == f"{order[:-2]}-c"]
    assert (hers["name"], hers["opener"]) == ("Zo Kanariella", SHOP)
    assert [(row["order_id"], row["status"]) for row in hers["orders"]] == [(order, "taken_in")]
    told = call("find", "kanariella", home=home, columns=200).stdout
    assert re.search(rf"Zo Kanariella +{SHOP} {order[:-2]}-c +{order} +– +taken in +{SHOP}", told)
    assert call("find", "nobody", home=home).stdout == "No customer is called so.\n"
    assert "at least two letters" in sentence(call("find", "z", home=home))


def test_she_is_shown_changed_exported_and_forgotten(home: Path, order: str, tmp_path: Path) -> None:
    reference = f"{order[:-2]}-c"
    shown = call("customer", "show", SHOP, reference, home=home)
    assert "zo@kooi.example" in shown.stdout
    assert order in shown.stdout
    # What is still planned has a line behind it that says what it waits for.
    assert re.search(r"^1 order; times are [A-Z]+", shown.stdout, re.MULTILINE)
    changed = answer(
        *("customer", "set", order, "--quiet", "21:00-8:00", "--not-told", "update", "--not-told", "check"),
        *("--channel", "sms=+3160000001", "--pause-until", "2099-01-01", "--language", "nl"),
        home=home,
    )
    assert changed["contact"]["channels"] == [{"kind": "sms", "address": "+3160000001"}]
    assert (changed["contact"]["not_told"], changed["paused"]) == (["update", "check"], True)
    told = call("customer", "show", order, home=home).stdout
    assert "until" in told
    assert "No service is set for sms: nothing reaches her that way." in told
    back = answer("customer", "set", f"{SHOP} {reference}", "--not-told", "none", "--pause-until", "none", home=home)
    assert (back["contact"]["not_told"], back["paused"], back["contact"]["quiet"]) == ([], False, "21:00-8:00")
    file = tmp_path / "hers.json"
    written = answer("customer", "export", order, file, home=home)
    assert (written["orders"], written["left_out"]) == (1, 0)
    exported = json.loads(file.read_text(encoding="utf-8"))
    assert exported["contact"]["name"] == "Zo Kanariella"
    assert exported["orders"][0]["order"]["order_id"] == order
    assert file.stat().st_mode & 0o077 == 0
    assert "exists already" in sentence(call("customer", "export", order, file, home=home))
    assert call("customer", "forget", order, home=home, stdin="n\n").exit_code == 1
    asked = call("customer", "forget", order, "--json", home=home, stdin="")
    assert (asked.exit_code, asked.stdout.strip()) == (2, "")  # what stands there is one document, and for a program
    assert asked.stderr.splitlines()[1:] == ["repairchain: nobody is there to be asked: say --yes if it is meant."]
    gone = call("customer", "forget", SHOP, reference, "--yes", home=home)
    assert f"Customer {reference} of {SHOP} is forgotten." in gone.stdout
    told_of_her = " ".join(call("customer", "show", order, home=home).stdout.split())
    assert "She was forgotten" in told_of_her
    assert "next news by" not in told_of_her
    assert "new number" in sentence(call("customer", "set", order, "--language", "de", home=home))


def test_nobody_is_promised_news_who_was_forgotten(home: Path, order: str) -> None:
    def news() -> Any:
        (row,) = answer("commitments", order, "--kind", "update", "--open", home=home)["commitments"]
        return row["customer_forgotten"]

    until_sent(home, order)
    status = answer("status", order, home=home)
    assert (status["customer_forgotten"], status["next_news_by"] is None, news()) == (False, False, False)
    assert "Hears again" in call("status", order, home=home).stdout
    answer("customer", "forget", order, "--yes", home=home)
    status = answer("status", order, home=home)
    assert (status["customer_forgotten"], status["next_news_by"], news()) == (True, None, True)
    assert answer("status", order, "--as-of", "2099-01-01", home=home)["customer_forgotten"] is None
    for command in ("status", "timeline", "commitments"):
        shown = call(command, order, home=home, columns=200).stdout
        assert "forgotten" in shown
        assert not [each for each in ("Hears again", "promised by") if each in shown]


def test_a_message_that_waits_says_until_when(home: Path, order: str) -> None:
    publish(home, "repair.completed", order, {})
    for _ in range(500):
        planned = [each for each in answer("messages", order, home=home)["messages"] if each["status"] == "planned"]
        if "repaired" in [each["kind"] for each in planned]:
            break
    row = planned[-1]
    # At night it is her quiet hours that it waits for.
    assert row["waits_for"] in ("more_to_tell", "quiet_hours")
    assert datetime.fromisoformat(row["waits_until"]) > datetime.now(UTC)
    told = " ".join(call("timeline", order, "--brief", home=home, columns=200).stdout.split())
    assert "the chain means to tell the customer" in told
    assert "; it waits until " in told


def test_no_list_names_a_date_for_whom_nobody_writes_to(home: Path, order: str) -> None:
    def listed() -> dict[str, str]:
        """What each list says about the order's customer: the lines with its next news."""
        lists = {"messages": ("messages", order), "promises": ("promises",), "today": ("today", SHOP)}
        shown = {name: call(*args, home=home, columns=200).stdout for name, args in lists.items()}
        about = {name: [line for line in text.splitlines() if order in line] for name, text in shown.items()}
        about["messages"] = [line for line in shown["messages"].splitlines() if "next news" in line]
        return {name: " ".join(lines) for name, lines in about.items()}

    publish(home, "item.returned", order, {})  # so that nothing but the news is owed
    until_sent(home, order)
    (message,) = answer("messages", order, home=home)["messages"]
    assert message["customer_forgotten"] is False
    before = listed()
    assert not [name for name, said in before.items() if "forgotten" in said], before
    answer("customer", "forget", order, "--yes", home=home)
    after = listed()
    assert [name for name, said in after.items() if "she was forgotten, so nobody is told" in said] == list(after)
    (message,) = answer("messages", order, home=home)["messages"]
    assert message["customer_forgotten"] is True
    said = call("customer", "reply", order, "Where is it?", "--channel", "visit", home=home).stdout
    assert "an answer has to reach her in person" in said
    listed_now = answer("today", SHOP, home=home)
    lost = [
        row["customer_forgotten"] for part in ("asked", "contacts") for row in listed_now[part] if row["order"] == order
    ]
    assert lost == [True, True]


def test_a_number_that_nobody_knows_is_not_forgotten_by_mistake(home: Path, order: str) -> None:
    mistyped = f"{order[:-2]}-x"
    said = sentence(call("customer", "forget", SHOP, mistyped, "--yes", home=home))
    assert said.startswith(f"{SHOP} has no customer {mistyped} (did you mean {order[:-2]}-c")
    assert "--even-if-unknown" in said
    assert call("customer", "forget", SHOP, mistyped, "--even-if-unknown", home=home, stdin="n\n").exit_code == 1
    assert "has no customer" in sentence(call("customer", "show", SHOP, mistyped, home=home))
    gone = answer("customer", "forget", SHOP, mistyped, "--even-if-unknown", "--yes", home=home)
    assert (gone["known"], gone["forgotten"]) == (False, True)
    asked = call("customer", "forget", order, home=home, stdin="n\n").stderr
    assert f"Forget customer {order[:-2]}-c of {SHOP} (1 order: {order}) for good?" in asked


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["reply", "NOWHERE", "Hello"], "'NOWHERE' is known: 'repairchain find' looks"),
        (["show", "NOWHERE"], "name her by the party and its number"),
        (["set", "NOWHERE", "--channel", "zo@kooi.example"], "KIND=ADDRESS"),
        (["set", "NOWHERE", "--pause-until", "soon"], "is not a moment"),
        (["export", "NOWHERE", "/no/such/folder/file"], "make it first"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(home: Path, args: list[str], problem: str) -> None:
    assert problem in sentence(call("customer", *args, home=home))


# -- by mail -----------------------------------------------------------------------------------------------------------


def test_a_reply_to_our_letter_is_about_its_order(home: Path, order: str) -> None:
    raw = letter(
        "Brown, says Zo Kanariella.", Message_ID="<a@kooi.example>", In_Reply_To=f"<{told(home, order)}@x.example>"
    )
    taken = received(home, raw.as_bytes())
    assert (taken["outcome"], taken["order"], types(taken)) == ("said", order, ["customer.contacted"])
    assert types(received(home, raw.as_bytes())) == []
    story = call("timeline", order, home=home, columns=200).stdout
    assert "(email): Brown, says […]." in " ".join(story.split())
    assert "kooi" not in call("timeline", order, "--raw", "--json", home=home).stdout


def test_an_order_is_found_by_our_address_or_by_its_number(home: Path, order: str) -> None:
    tagged = letter("Is it done?", Message_ID="<b@kooi.example>", to=f"repairs+{order}@shop.example", subject="Hello")
    assert types(received(home, tagged.as_bytes())) == ["question.asked"]
    named = letter("Hello.", Message_ID="<c@kooi.example>", subject=f"My order {order}")
    assert received(home, named.as_bytes())["order"] == order
    within = letter(f"It is about {order}, please.", Message_ID="<d@kooi.example>", subject="Hello")
    assert received(home, within.as_bytes())["order"] == order


def test_stop_pauses_her_messages_where_it_comes_from_her(home: Path, order: str) -> None:
    subject = f"stop {order}"
    refused = sentence(call("mail", "receive", home=home, stdin=letter("", subject=subject).as_bytes()), 65)
    assert "an address that is not held for its customer" in refused
    assert answer("customer", "show", order, home=home)["paused"] is False
    taken = received(home, letter("", subject=subject, From="Zo <ZO@Kooi.example>").as_bytes())
    assert (taken["outcome"], taken["order"]) == ("paused", order)
    assert answer("customer", "show", order, home=home)["paused"] is True


def test_what_came_back_is_told(home: Path, order: str) -> None:
    message = told(home, order)
    taken = received(home, bounce(message=message))
    assert taken == {"outcome": "bounced", "order": order, "message": message, "status": "5.1.1"}
    said = call("mail", "receive", home=home, stdin=bounce(message=message))
    assert message in said.stdout
    assert "zo@" not in said.stdout
    rows = {row["message_id"]: row for row in answer("messages", order, home=home)["messages"]}
    assert (rows[message]["status"], rows[message]["reason"]) == ("failed", "it came back (5.1.1)")
    calls = [row for row in answer("commitments", order, home=home)["commitments"] if row["kind"] == "call"]
    assert [row["state"] for row in calls] == ["open"]


def test_machines_and_strangers_are_left_out(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert received(home, letter(Auto_Submitted="auto-replied").as_bytes())["outcome"] == "automatic"
    before = answer("stats", home=home)["position"]
    stranger = letter("Buy 1000 watches", subject="Offer 99").as_bytes()
    assert "fits no order" in sentence(call("mail", "receive", home=home, stdin=stranger), 67)
    assert "cannot be read" in sentence(call("mail", "receive", home=home, stdin=b""), 65)
    monkeypatch.setattr("cli.mail._LONGEST", 1024 * 1024)
    endless = letter("When is it done?").as_bytes() + bytes(1024 * 1024)
    assert "it is longer than 1 MB" in sentence(call("mail", "receive", home=home, stdin=endless), 65)
    assert answer("stats", home=home)["position"] == before
    nobody = call("mail", "receive", home=tmp_path / "elsewhere", stdin=stranger)
    assert "no chain runs" in sentence(nobody, 75)


def test_a_mailbox_is_read_once(home: Path, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = [
        letter("It ticks.", Message_ID="<e@kooi.example>", subject=f"Order {order}").as_bytes(),
        letter("Buy watches", Message_ID="<f@kooi.example>", subject="Offer").as_bytes(),
        letter("\a", Message_ID="<g@kooi.example>", subject=f"Order {order}").as_bytes(),
        letter(Auto_Submitted="auto-replied").as_bytes(),
    ]
    with ImapServer(letters) as server:
        monkeypatch.setenv("REPAIRCHAIN_IMAP_URL", server.url)
        fetched = answer("mail", "fetch", home=home)["letters"]
        # One of which the desk can make nothing keeps none behind it from being read.
        assert [each["outcome"] for each in fetched] == ["said", "unknown", "unknown", "automatic"]
        assert server.seen == {1, 4}  # a person is to look at the others
        assert [each["outcome"] for each in answer("mail", "fetch", home=home)["letters"]] == ["unknown"] * 2
        monkeypatch.setenv("REPAIRCHAIN_IMAP_URL", server.url.replace("se%20cret", "wrong"))
        refused = sentence(call("mail", "fetch", home=home), 75)
        assert "login" in refused
        assert "wrong" not in refused


def test_a_letter_stays_unread_while_the_chain_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ImapServer([letter().as_bytes()]) as server:
        monkeypatch.setenv("REPAIRCHAIN_IMAP_URL", server.url)
        assert "no chain runs" in sentence(call("mail", "fetch", home=tmp_path), 75)
        assert server.seen == set()


def test_what_became_of_letters_before_the_chain_went_away_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Mock(
        side_effect=[mail.Taken("automatic", "A machine wrote this; it is left out."), Problem("it went away.", 75)]
    )
    monkeypatch.setattr(mail, "take", taken)
    with ImapServer([letter().as_bytes(), letter().as_bytes()]) as server:
        monkeypatch.setenv("REPAIRCHAIN_IMAP_URL", server.url)
        result = call("mail", "fetch", "--json", home=tmp_path)
        assert sentence(result, 75) == "it went away."
        assert [each["outcome"] for each in json.loads(result.stdout)["letters"]] == ["automatic"]
        assert server.seen == {1}


@pytest.mark.parametrize("url", ["", "pop3://user:secret@host", "imaps://host/INBOX"])
def test_a_mailbox_has_to_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REPAIRCHAIN_IMAP_URL", url)
    said = sentence(call("mail", "fetch", home=tmp_path))
    assert "imaps://user:password@host/INBOX" in said
    assert "secret" not in said
