"""How long steps took: not the time in which they stood still."""

from __future__ import annotations

from contextlib import closing

from projections.book import open_book
from projections.clock import micros_of
from projections.policy import Policy
from services.backtest.loading import Loaded, fill
from services.backtest.owed import read_steps
from services.importing import ImportReport
from tests.projections.story import BENCH, SHOP, at, fact, handed, opened, received
from tests.ready import lent_database
from tests.services.backtest.exports import KINDS, clock_policy

HOUR = 3_600_000_000
DECIDER = "importer:noord"


def test_what_waits_for_who_pays_and_who_pays_for_the_item_took_no_time_meanwhile() -> None:
    story = [
        opened("2026-03-02 09:00"),
        fact("cover.claimed", SHOP, "2026-03-02 10:00", {"cause": "a fault", "decider": DECIDER}),
        fact("work.paused", DECIDER, "2026-03-02 13:00", {"waiting_for": "retailer"}),
        handed(SHOP, DECIDER, "2026-03-02 15:00"),
        received(DECIDER, "2026-03-02 20:00"),
        fact("cover.decided", DECIDER, "2026-03-02 21:00", {"decision": "covered", "cause": "x", "decider": DECIDER}),
        handed(DECIDER, BENCH, "2026-03-02 23:00"),
    ]
    with lent_database() as database:
        events = [event.model_dump(mode="json", exclude_none=True) for event in story]
        fill(database, events, Policy.parse(clock_policy(kinds=(*KINDS, "cover"))), Loaded(ImportReport()))
        with closing(database.cursor()) as cursor:
            steps = read_steps(cursor, open_book(cursor), micros_of(at("2026-03-03 09:00")))
    took = {(steps.kind[row], steps.owner[row]): steps.took[row] / HOUR for row in range(len(steps.kind))}
    assert (took["forward", SHOP], took["forward", DECIDER]) == (1 + 2, 2)
    assert took["cover", DECIDER] == 3 + 1
