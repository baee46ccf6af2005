"""The desk on a real server: who may ask, and what it answers."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import nats.errors
import pytest

from services.desk import customers
from services.desk.calling import DeskAwayError, call_desk
from services.desk.problems import DeskError
from tests.chainserver import ChainServer, refusals
from tests.ready import projectors_borrow
from tests.services.desk.office import EMAIL, NAME, SHOP, Office
from tests.waiting import eventually

REF = f"{SHOP} C-77"


@pytest.fixture
async def office(chain_server: ChainServer) -> AsyncIterator[Office]:
    with projectors_borrow():
        async with Office(chain_server) as office:
            yield office


async def test_a_question_of_hers_is_a_fact_without_her_name(office: Office) -> None:
    await office.open("W-1")
    said = await office.desk("reply", order="W-1", text=f"I am {NAME}. When is it done?\n> quoted", channel="phone")
    (fact,) = said["facts"]
    assert (said["outcome"], fact["type"]) == ("accepted", "question.asked")
    name, source, data = (await office.facts("W-1"))[-1]
    assert (name, source, data["to"], data["text"]) == (
        "question.asked",
        "customer:C-77",
        SHOP,
        "I am […]. When is it done?",
    )
    again = await office.desk("reply", order="W-1", text=f"I am {NAME}. When is it done?", channel="phone")
    assert (again["outcome"], again["id"]) == ("duplicate", said["id"])
    owed = (await office.ask("commitments", order="W-1"))["commitments"]
    assert [(row["owner"], row["state"]) for row in owed if row["kind"] == "answer"] == [(SHOP, "open")]


async def test_her_answer_meets_the_question_and_her_word_reopens(office: Office) -> None:
    await office.open("W-1")
    await office.say("question.asked", "W-1", {"question": "strap", "text": "Which?", "to": "customer"})
    await office.desk("reply", order="W-1", text="The brown one.")
    await office.say("order.closed", "W-1", {"outcome": "repaired"})
    await office.desk("reply", order="W-1", text="It has stopped.")
    assert [name for name, source, _ in await office.facts("W-1") if source == "customer:C-77"] == [
        "question.answered",
        "order.reopened",
        "customer.contacted",
    ]
    assert (await office.ask("status", order="W-1"))["open"]


async def test_who_writes_is_not_named_either(office: Office) -> None:
    await office.open("W-1")
    await office.desk("reply", order="W-1", text="It ticks, says Berta Somebody", sender="Berta Somebody")
    assert "[…]" in str(await office.facts("W-1"))
    assert "Somebody" not in str(await office.facts("W-1"))


async def test_only_a_letter_from_where_we_write_to_her_silences_us(office: Office) -> None:
    await office.open("W-1")
    await office.say("order.opened", "W-0", {"product": {}})
    for stranger in ("her.sister@mail.example", "", "+31687654321"):
        with pytest.raises(DeskError, match="an address that is not held for its customer") as caught:
            await office.desk("silence", order="W-1", address=stranger)
        assert not stranger or stranger not in str(caught.value)
    assert (await office.desk("show", ref="W-1"))["paused"] is False
    assert (await office.desk("silence", order="W-1", address=EMAIL.upper()))["written_to"] is True
    assert (await office.desk("show", ref="W-1"))["paused"] is True
    assert (await office.desk("silence", order="W-0", address=EMAIL))["written_to"] is False


async def test_she_is_shown_and_changed(office: Office) -> None:
    await office.open("W-1")
    await office.open("W-2")
    shown = await office.desk("show", ref="W-2")
    assert (shown["opener"], shown["customer"], shown["contact"]["name"]) == (SHOP, "C-77", NAME)
    assert [row["order_id"] for row in shown["orders"]] == ["W-2", "W-1"]
    changed = await office.desk(
        "set", ref=REF, quiet="21:00-8:00", not_told=["update"], paused_until="2099-01-01T00:00Z"
    )
    assert changed["paused"] is True
    assert changed["contact"] == {
        **shown["contact"],
        "quiet": "21:00-8:00",
        "not_told": ["update"],
        "paused_until": "2099-01-01T00:00:00Z",
    }
    assert changed["not_served"] == ["sms"], "no service is set for it"
    taken_off = await office.desk("set", ref="W-1", quiet=None, paused_until=None, not_told=[])
    assert taken_off["contact"] == shown["contact"]
    # A later order of hers does not undo what she asked for.
    await office.desk("set", ref=REF, quiet="22:00-7:00")
    await office.open("W-3")
    assert (await office.desk("show", ref=REF))["contact"]["quiet"] == "22:00-7:00"


async def test_all_that_is_held_is_exported(office: Office) -> None:
    await office.open("W-1")
    faulty = {"product": {}, "customer": "C-77", "contact": {"name": NAME}, "colour": "red"}
    await office.say("order.opened", "W-2", faulty)
    await office.say("order.opened", "W-3", {"product": {}, "colour": "red"})
    exported = await office.desk("export", ref=REF)
    assert [each["submission"]["subject"] for each in exported["rejected"]] == ["W-2"]
    assert exported["contact"]["channels"][0]["address"] == EMAIL
    assert exported["rejected_total"] == 1


async def test_an_export_says_what_there_was_no_room_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customers, "_MOST_REJECTED", 1)
    await office.open("W-1")
    faulty = {"product": {}, "customer": "C-77", "contact": {"name": NAME}, "colour": "red"}
    for order in ("W-2", "W-3"):
        await office.say("order.opened", order, faulty)
    exported = await office.desk("export", ref=REF)
    assert (len(exported["rejected"]), exported["rejected_total"]) == (1, 2)


async def test_what_is_no_submission_does_not_keep_it_from_forgetting(office: Office) -> None:
    await office.open("W-1")
    await office.keeper.jetstream().publish("rejected.retailer.acme.W-1", b"no submission of ours")
    assert (await office.desk("forget", ref=REF))["forgotten"]


async def test_who_is_not_known_is_not_forgotten_unless_that_is_meant(office: Office) -> None:
    for order, customer in (("W-1", "C-77"), ("W-2", "C-78"), ("W-3", "D-1000"), ("W-4", "C-70")):
        await office.open(order, customer=customer)
    await office.desk("forget", ref=f"{SHOP} C-70")
    for ref, meant in (
        (f"{SHOP} c-79", r"\(did you mean C-7[78] or C-7[78]\?\)"),
        ("retailer:acne C-77", rf"\(did you mean that of {SHOP}\?\)"),
        (f"{SHOP} ZZZZ", r"no customer ZZZZ\. Nothing was forgotten; .* say --even-if-unknown"),
    ):
        with pytest.raises(DeskError, match=meant):
            await office.desk("forget", ref=ref)
        who = await office.desk("who", ref=ref)
        assert (who["known"], who["forgotten"], who["orders"]) == (False, False, [])
    told = await office.desk("forget", ref=f"{SHOP} C-79", even_if_unknown=True)
    assert (told["known"], told["forgotten"], told["orders"]) == (False, True, [])
    await office.open("W-5", customer="C-79")
    assert (await office.desk("show", ref="W-5"))["contact"] is None
    assert (await office.desk("who", ref="W-5"))["forgotten"]
    known = await office.desk("who", ref=f"{SHOP} C-77")
    assert (known["known"], known["forgotten"], known["orders"]) == (True, False, ["W-1"])


async def test_it_says_of_many_who_was_forgotten(office: Office) -> None:
    await office.open("W-1")
    await office.open("W-2", customer="C-78")
    asked = [[SHOP, "C-77"], [SHOP, "C-78"], ["retailer:rival", "C-77"]]
    assert (await office.desk("forgotten", customers=asked))["customers"] == []
    await office.desk("forget", ref=REF)
    assert (await office.desk("forgotten", customers=asked))["customers"] == [[SHOP, "C-77"]]


#: Verb, arguments, and what is told.
IMPOSSIBLE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("show", {"ref": "W-9"}, "no order, reference or serial number 'W-9' is known; name her by the party"),
    ("show", {"ref": f"{SHOP} C-99"}, f"{SHOP} has no customer C-99"),
    ("show", {"ref": "W-0"}, "opened without a customer"),
    ("show", {}, "ref is not right"),
    ("set", {"ref": REF}, "say what to change"),
    ("set", {"ref": REF, "time_zone": "Mars"}, "there is no time zone"),
    ("set", {"ref": REF, "channels": [{"kind": "email", "address": "zo.secret"}]}, "not one e-mail address"),
    ("set", {"ref": REF, "quiet": "at night"}, "quiet is not right"),
    ("reply", {"order": "W-9", "text": "Hello"}, "no order"),
    ("reply", {"order": "W-1", "text": "> only quoted"}, "write what she said"),
    ("dance", {}, "it knows reply, show, set, silence, export, who, forget"),
)


async def test_what_it_cannot_do_is_told(office: Office) -> None:
    await office.open("W-1")
    await office.say("order.opened", "W-0", {"product": {}})
    for verb, args, problem in IMPOSSIBLE:
        with pytest.raises(DeskError, match=problem) as caught:
            await office.desk(verb, **args)
        assert "secret" not in str(caught.value)


async def test_a_partner_does_not_reach_it(office: Office) -> None:
    shop = await office.server.connect(SHOP)
    with pytest.raises(nats.errors.TimeoutError):
        await shop.request("chain.desk.show", b'{"ref": "W-1"}', timeout=0.05)
    await eventually(lambda: any("chain.desk.show" in line for line in refusals(office.home)), "the server refuses it")


async def test_without_a_desk_that_is_told(chain_server: ChainServer) -> None:
    operator = await chain_server.connect("operator")
    with pytest.raises(DeskAwayError, match="does the notifier run"):
        await call_desk(operator, "show", {"ref": "W-1"})


async def test_nothing_personal_is_logged(
    office: Office, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await office.open("W-1")
    await office.desk("reply", order="W-1", text=f"I am {NAME}, {EMAIL}.")
    await office.desk("set", ref=REF, language="en")
    await office.desk("forget", ref=REF)
    logged = caplog.text + "".join(capsys.readouterr())
    assert "forgotten" in logged
    for personal in (*NAME.split(), EMAIL):
        assert personal not in logged


async def test_only_what_nobody_knows_is_settled(office: Office) -> None:
    await office.open("W-1")

    async def sent() -> str | None:
        rows = (await office.ask("messages", order="W-1"))["messages"]
        return next((row["message_id"] for row in rows if row["status"] == "sent"), None)

    message = await eventually(sent, "a message was sent")
    with pytest.raises(DeskError, match="can be settled: it is sent"):
        await office.desk("settle", message=message, arrived=True)
    with pytest.raises(DeskError, match="there is no message msg-0"):
        await office.desk("settle", message="msg-0", arrived=True)
