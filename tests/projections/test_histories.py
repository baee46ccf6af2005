"""Several orders at once are what each is by itself."""

from __future__ import annotations

import pytest

from projections.queries.arguments import QueryError
from tests.projections.story import SHOP, Given, handed, opened, received, sent

SINCE = "2026-03-01T00:00:00Z"


def test_a_history_is_the_timeline_of_its_order(given: Given) -> None:
    story = given(
        opened("2026-03-02 09:00"),
        handed(SHOP, "importer:noord", "2026-03-02 10:00"),
        sent("2026-03-02 11:00"),
        opened("2026-03-02 09:30", order="W-2", customer="C-2"),
        received("importer:noord", "2026-03-03 09:30"),
    )
    answer = story.ask("histories", orders=["W-1", "W-2", "no such order"], letters_since=SINCE)["histories"]
    assert set(answer) == {"W-1", "W-2"}
    for order, history in answer.items():
        timeline = story.ask("timeline", order=order, raw=True)
        for part in ("entries", "commitments", "messages"):
            assert history[part] == timeline[part], part
        own = {name: value for name, value in history["order"].items() if name != "last_position"}
        assert own == {name: timeline["order"][name] for name in own}
        assert history["rules"] == {"quiet": "21:00-8:00", "most_a_day": 4, "most_silent": 3}
    assert answer["W-1"]["letters"] == ["2026-03-02T11:00:00Z"]
    assert answer["W-2"]["letters"] == []


def test_letters_are_hers_whatever_order_they_were_about(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), opened("2026-03-02 09:30", order="W-2"), sent("2026-03-02 11:00"))
    answer = story.ask("histories", orders=["W-2"], letters_since=SINCE)["histories"]
    assert answer["W-2"]["letters"] == ["2026-03-02T11:00:00Z"]
    later = story.ask("histories", orders=["W-2"], letters_since="2026-03-02T12:00:00Z")["histories"]
    assert later["W-2"]["letters"] == []


def test_it_is_asked_with_a_list(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"))
    for wrong in ("W-1", [1], ["W-1"] * 501):
        with pytest.raises(QueryError, match="list of up to 500 texts"):
            story.ask("histories", orders=wrong, letters_since=SINCE)
    with pytest.raises(QueryError, match="say since when"):
        story.ask("histories", orders=["W-1"])
