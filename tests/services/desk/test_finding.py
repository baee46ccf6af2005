"""Finding a customer by her name: what counts as the same name, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from events import names
from events.subjects import customer_key
from services.desk import finding
from services.desk.calling import DeskAwayError, call_desk
from services.desk.finding import fits, folded
from services.desk.problems import DeskError
from tests.chainserver import ChainServer, refusals
from tests.ready import projectors_borrow
from tests.services.desk.office import EMAIL, NAME, SHOP, Office, files_with
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("sought", "name"),
    [
        ("zoe", "Zoë Kanariella"),
        ("KANARI", "Zoë Kanariella"),
        ("kanariella zoë", "Zoë Kanariella"),
        ("Zoe\u0308", "Zoë Kanariella"),
        ("o’neil", "Ida O'Neil"),
        ("anne marie", "Anne-Marie Øst"),
        ("ost", "Anne-Marie Øst"),
        ("strasse", "Per Straße"),
        ("lukasz", "Łukasz Żak"),
    ],
)
def test_a_part_of_the_name_finds_it_whatever_its_case_and_accents(sought: str, name: str) -> None:
    assert fits(folded(sought), name)


@pytest.mark.parametrize("sought", ["zoe b", "kanariellas", "oek"])
def test_every_part_has_to_stand_in_a_word_of_the_name(sought: str) -> None:
    assert not fits(folded(sought), "Zoë Kanariella")


def test_what_is_plain_is_read_as_all_else_is() -> None:
    for char in map(chr, range(128)):
        name = f"Xa{char}yB"
        assert folded(f"{name} é") == (*folded(name), "e"), repr(char)


@pytest.fixture
async def office(chain_server: ChainServer) -> AsyncIterator[Office]:
    with projectors_borrow():
        async with Office(chain_server) as office:
            yield office


async def opened(office: Office, order: str, customer: str, name: str) -> None:
    contact = {"name": name, "channels": [{"kind": "email", "address": f"{customer}@kooi.example"}]}
    data: dict[str, Any] = {"product": {"description": "brass lamp"}, "customer": customer, "contact": contact}
    assert (await office.say("order.opened", order, data))["outcome"] == "accepted"


async def test_she_is_found_with_her_orders_and_nobody_else(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    await office.open("W-1")
    await office.open("W-2")
    for number, name in enumerate(("Bo Mus", "Zoé Mus", "Al Vink", "Zus Kanarie")):
        await opened(office, f"X-{number}", f"C-{number}", name)
    found = await office.desk("find", name="ZOE")
    assert [(row["name"], row["opener"], row["customer"]) for row in found["customers"]] == [
        (NAME, SHOP, "C-77"),
        ("Zoé Mus", SHOP, "C-1"),
    ]
    assert [order["order_id"] for order in found["customers"][0]["orders"]] == ["W-2", "W-1"]
    (lamp,) = found["customers"][1]["orders"]
    assert (lamp["status"], lamp["holder"], lamp["description"]) == ("taken_in", SHOP, "brass lamp")
    assert (await office.desk("find", name="mus", limit=1))["total"] == 2
    assert len((await office.desk("find", name="mus", limit=1))["customers"]) == 1
    assert (await office.desk("find", name="nobody"))["customers"] == []
    with pytest.raises(DeskError, match="two letters"):
        await office.desk("find", name="'z'")
    assert "kanari" not in "".join(capfd.readouterr()).casefold()


async def test_who_was_forgotten_is_not_found(office: Office) -> None:
    await office.open("W-1")
    await opened(office, "W-2", "C-78", "Bo Mus")
    await office.desk("forget", ref="W-1")
    assert (await office.desk("find", name=NAME))["customers"] == []
    assert (await office.desk("find", name="bo"))["total"] == 1


async def test_what_a_book_holds_that_it_should_not_is_no_customer(office: Office) -> None:
    await opened(office, "W-1", "C-1", "Bo Mus")
    await opened(office, "W-2", "C-2", "Bo Vink")
    js = (await office.server.connect("keeper")).jetstream()
    for record in (b"no record", b"[]", b'{"name": 7}'):
        await js.publish(f"$KV.{names.CUSTOMERS}.{customer_key(SHOP, 'C-3')}", record)
    # Of these two the record before was to be erased, and whoever was at it died.
    await js.publish(f"$KV.{names.CUSTOMERS}.{customer_key(SHOP, 'C-1')}", b'{"name": "Bo Kraai"}')
    await js.publish(f"$KV.{names.CUSTOMERS}.{customer_key(SHOP, 'C-2')}", headers={"KV-Operation": "DEL"})
    assert [row["name"] for row in (await office.desk("find", name="bo"))["customers"]] == ["Bo Kraai"]


async def test_where_a_record_was_lost_on_its_way_nobody_is_told_that_she_is_not_there(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(office, "W-1", "C-1", "Bo Mus")
    monkeypatch.setattr(finding, "number_of_delivery", lambda record: 2)
    with pytest.raises(DeskAwayError, match="try again"):
        await office.desk("find", name="zoe")


async def test_an_empty_book_has_nobody(office: Office) -> None:
    assert await office.desk("find", name="zoe") == {"customers": [], "total": 0}


async def test_a_partner_is_refused_and_what_is_looked_for_is_written_down_nowhere(office: Office) -> None:
    await opened(office, "W-1", "C-1", "Bo Mus")
    partner = await office.server.connect(SHOP)
    with pytest.raises(DeskAwayError):
        await call_desk(partner, "find", {"name": "Secretary"}, timeout=0.1)
    await eventually(lambda: any("chain.desk.find" in line for line in refusals(office.home)), "the server refuses it")
    await office.desk("find", name="Secretary")
    assert await asyncio.to_thread(files_with, Path(office.home), "Secretary") == []
    assert EMAIL not in str(await office.desk("find", name="bo"))
