"""A watch that was entered twice: once it is said that both are one order, she hears of one repair, and once."""

from __future__ import annotations

from pathlib import Path

from services.verifying import verify
from tests.chainserver import refusals
from tests.scenarios.stage import Owed, contact, heard, kept, moment, stage, teller

SHOP, MAKER = "retailer:juno", "importer:noord"
CARDS = {SHOP: {"display_name": "Juno Watches", "phone": "555-0100"}, MAKER: {"display_name": "Noord Trading"}}
OLD, NEW = "J-1", "J-2"
of_old, of_new = teller(OLD), teller(NEW)
WATCH = {"brand": "Tide", "model": "Diver", "serial": "TD-7"}

#: 2 March 2026 is a Monday.
OPENED = of_old("2026-03-02 09:00", SHOP, "order.opened", customer="C-1", product=WATCH, contact=contact("Ms Brandt"))
AGAIN = of_new("2026-03-02 09:30", SHOP, "order.opened", customer="C-1", product=WATCH, contact=contact("Ms Brandt"))
ONE = of_old("2026-03-02 10:00", SHOP, "order.merged", into=NEW, reason="entered twice")
LEFT = of_old("2026-03-02 11:00", SHOP, "item.handed_over", to=MAKER)
CAME = of_new("2026-03-03 10:00", MAKER, "item.received")


async def test_an_order_that_was_entered_twice_is_one_and_she_hears_of_one(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", moment("2026-03-02 08:00"), CARDS) as scene:
        await scene.play([OPENED, AGAIN, ONE, LEFT, CAME])
        await scene.until("2026-03-03 10:10")
        # The parcel was reported by the one id and came in by the other.
        assert await scene.owed(OLD, "receive") == [
            Owed("receive", MAKER, "2026-03-04 11:00", "met", met="2026-03-03 10:00")
        ]
        status = await scene.status(OLD)
        assert (status["order_id"], status["merged"], status["holder"]) == (NEW, [OLD], MAKER)
        told = await scene.told(NEW)
        assert told == await scene.told(OLD)
        # Each opening was acknowledged before anybody knew; that they are one she hears at once, and what comes once.
        assert [(message.at, message.kind) for message in told] == [
            ("2026-03-02 09:00", "opened"),
            ("2026-03-02 09:30", "opened"),
            ("2026-03-02 10:00", "corrected"),
            ("2026-03-03 10:06", "received"),
        ]
        assert "entered twice by mistake, as J-1 and as J-2" in told[2].body
        assert kept(told[1:])
        assert len(scene.letters()) == len(heard(told))
        assert (await verify(scene.simulation.settings)).differences == []
    assert refusals(tmp_path / "home") == []
