"""What a shown order says that no read model keeps: that it stays at the customer's home."""

from __future__ import annotations

from typing import Any

import pytest

from events.envelope import Event
from projections.queries.reading import Reading, Row
from tests.projections.story import IMPORTER, SHOP, Given, Story, corrected, fact, handed, opened, received

VISIT = fact(
    "visit.scheduled",
    SHOP,
    "2026-03-02 10:00",
    {"visit": "v", "from": "2026-03-04T09:00:00Z", "until": "2026-03-04T11:00:00Z"},
)


def at_home(story: Story, **moment: str) -> bool:
    """As the order itself says it, and each list that it stands in."""
    answers = [story.order(**moment), *story.ask("orders", **moment)["orders"]]
    if not moment:
        answers += story.ask("customer", opener=SHOP, customer="C-1")["orders"]
        answers.append(story.ask("timeline", order="W-1")["order"])
    (said,) = {row["at_home"] for row in answers}
    return bool(said)


@pytest.mark.parametrize(
    ("facts", "stays"),
    [
        ([opened()], False),
        ([opened(at_home=True)], True),
        ([opened(at_home=True, product={})], True),
        ([opened(at_home=False), VISIT], True),
        ([opened(), opened("2026-03-02 09:30", at_home=True, source=IMPORTER)], True),
        ([fact("item.tracked", SHOP, "2026-03-01 09:00", {"status": "announced"}), opened(at_home=True)], True),
        ([opened(), VISIT, corrected(VISIT, "2026-03-02 11:00")], False),
        ([opened(at_home=True), received(SHOP, "2026-03-03 10:00")], False),
        ([opened(at_home=True), VISIT, handed(SHOP, IMPORTER, "2026-03-03 10:00")], False),
        ([opened(at_home=True), fact("item.returned", SHOP, "2026-03-03 10:00")], False),
        ([opened(at_home=True), fact("order.closed", SHOP, "2026-03-03 10:00", {"outcome": "repaired"})], True),
    ],
)
def test_what_is_mended_at_her_home_is_there_until_it_goes_from_hand_to_hand(
    given: Given, facts: list[Event], stays: bool
) -> None:
    assert at_home(given(*facts)) is stays


def test_as_of_then_it_is_told_of_then(given: Given) -> None:
    story = given(opened(at_home=True), received(SHOP, "2026-03-03 10:00"))
    assert at_home(story, as_of="2026-03-02 12:00")
    assert not at_home(story, as_of="2026-03-03 12:00")


def test_orders_looks_for_the_next_steps_of_those_that_it_shows_alone(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = given(*(opened(f"2026-03-0{day} 09:00", order=f"W-{day}") for day in range(1, 5))).at("2026-03-06 09:00")
    asked: list[dict[str, Any]] = []
    rows = Reading.rows

    def noted(reading: Reading, query: str, **parameters: Any) -> list[Row]:
        if query == "orders_owed":
            asked.append(parameters)
        return rows(reading, query, **parameters)

    monkeypatch.setattr(Reading, "rows", noted)
    page = story.ask("orders", limit=2, offset=1)["orders"]
    assert [row["order_id"] for row in page] == ["W-3", "W-2"]
    assert all(row["ball"]["order"] == row["order_id"] for row in page)
    (one,) = asked
    assert one == {"orders": [row["first_position"] for row in page]}
