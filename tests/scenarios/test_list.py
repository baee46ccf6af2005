"""The morning list: a shop, and a bench half a world away; weekends, holidays and a closure; and how it reads."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.chainserver import refusals
from tests.scenarios.stage import Stage, contact, moment, stage, teller

SHOP = "retailer:fernhill"
BENCH = "repairer:osprey"
CARDS = {
    SHOP: {"display_name": "Fernhill Cycles", "phone": "555-0801", "email": "desk@fernhill.example"},
    BENCH: {"display_name": "Osprey Bench", "email": "bench@osprey.example", "language": "nl"},
}
ORDER = "L-1"
said = teller(ORDER)
TERMS = f"""
[calendars.fernhill]
parties = ["{SHOP}"]
holidays = "NL"

[calendars.osprey]
parties = ["{BENCH}"]
time_zone = "Pacific/Auckland"
"""
#: 8 May 2026 is a Friday.
STORY = [
    said(
        "2026-05-08 10:00",
        SHOP,
        "order.opened",
        customer="C-8",
        product={"brand": "Lapwing", "model": "Cargo 3"},
        contact=contact("Ms Ibarra"),
    ),
    said("2026-05-08 10:05", SHOP, "order.referenced", reference="4711"),
    said("2026-05-08 10:30", SHOP, "item.handed_over", to=BENCH),
    said("2026-05-08 16:50", SHOP, "question.asked", question="q1", text="May I have a bike on loan?", to=SHOP),
    said("2026-05-08 16:55", SHOP, "customer.contacted", channel="phone", direction="inbound", summary="very upset"),
]
SHUT = {"from": moment("2026-05-12 00:00").isoformat(), "until": moment("2026-05-13 11:00").isoformat()}
STOCKTAKING = teller(SHOP)("2026-05-11 12:00", SHOP, "party.closed", **SHUT, reason="stocktaking")


async def each_morning(stage: Stage, first: str, last: str) -> None:
    """Have a look at five past nine of each day from the ``first`` to the ``last``."""
    at, end = moment(f"{first} 09:05"), moment(f"{last} 09:05")
    while at <= end:
        await stage.simulation.advance(at)
        at += timedelta(days=1)


async def days_of(stage: Stage, party: str) -> list[str]:
    return [event["data"]["day"] for event in await stage.facts("party.briefed") if event["subject"] == party]


def lists_to(stage: Stage, address: str) -> list[EmailMessage]:
    """The lists by e-mail, the first first."""
    files = stage.simulation.settings.outbox_folder.glob("list-*.eml")
    found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return sorted((each for each in found if address in each["To"]), key=lambda each: each["Date"].datetime)


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


async def test_a_list_on_every_day_that_the_doors_open_and_on_no_other(free_home: Path) -> None:
    async with stage(free_home, moment("2026-05-08 09:30"), CARDS, TERMS, daily_list=True) as played:
        await played.listen()
        await played.play(STORY)
        await each_morning(played, "2026-05-09", "2026-05-11")
        await played.play([STOCKTAKING])
        await each_morning(played, "2026-05-12", "2026-05-13")
        assert "2026-05-13" not in await days_of(played, SHOP)
        await played.until("2026-05-13 11:05")
        await each_morning(played, "2026-05-14", "2026-05-15")
        of_shop, of_bench = await days_of(played, SHOP), await days_of(played, BENCH)
        noticed = await played.noticed("list")
        to_shop, to_bench = (lists_to(played, CARDS[party]["email"]) for party in (SHOP, BENCH))
    # It takes stock on the 12th, and on the 13th until eleven; the 14th is Ascension Day.
    assert of_shop == [f"2026-05-{day:02}" for day in (8, 11, 13, 15)]
    # It has until the end of Tuesday, by its own clock, to say that it came in, and answers for nothing itself.
    assert of_bench == [f"2026-05-{day:02}" for day in (12, 13, 14, 15)]
    assert [notice.at[:10] for notice in noticed if notice.party == SHOP] == of_shop
    assert len({letter["Message-ID"] for letter in to_shop}) == len(to_shop) == len(of_shop)
    assert [letter["Subject"] for letter in to_bench[:2]] == [
        "Uw lijst van dinsdag 12 mei: 1 te laat",
        "Uw lijst van woensdag 13 mei: 1 te laat",
    ]
    assert text_of(to_shop[1]) == (
        "This is the list of Fernhill Cycles for Monday 11 May.\n"
        "Open orders: 1. Late: 0. Questions of customers that wait for an answer: 1. Customers to call: 0.\n"
        "\n"
        "Asked by customers, and not answered yet\n"
        "- L-1 (your 4711), Lapwing Cargo 3: “May I have a bike on loan?” Asked on Friday 8 May at 16:50; "
        "you are to answer. Due Tuesday 12 May at 16:50.\n"
        "\n"
        "Customers who got in touch since Friday 8 May\n"
        "- L-1 (your 4711), Lapwing Cargo 3: Friday 8 May at 16:55, by phone: “very upset.”\n"
        "\n"
        "Open orders, and whose move it is\n"
        "- L-1 (your 4711), Lapwing Cargo 3: Osprey Bench is to say that it came in. Due Tuesday 12 May at 07:00.\n"
        "\n"
        "This list comes once a day, when you are open. As it is at any moment: repairchain today retailer:fernhill\n"
    )
    assert "Osprey Bench was to say that it came in. Due Tuesday 12 May at 07:00, 28 hours late." in text_of(to_shop[2])
    assert "van Fernhill Cycles: u moest bevestigen dat het is aangekomen. Uiterlijk dinsdag 12 mei om 17.00 uur" in (
        text_of(to_bench[0])
    )
    for letter in (*to_shop, *to_bench):
        assert "Ibarra" not in letter.as_string()
        assert "customer@mail.example" not in letter.as_string()
    assert refusals(free_home) == []
