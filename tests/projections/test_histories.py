"""Several orders at once are what each is by itself."""

from __future__ import annotations

import pytest

from events.envelope import Event
from events.party import POLICY, WATCHDOG
from projections.policy import Policy
from projections.queries.arguments import QueryError
from tests.projections.story import SHOP, Given, fact, handed, opened, received, sent

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
        assert history["rules"] == {
            "quiet": "21:00-8:00",
            "most_a_day": 4,
            "most_silent": 3,
            "wait_for_more": "6 minutes",
            "after_missed_visit": "1 working day",
        }
    assert answer["W-1"]["letters"] == ["2026-03-02T11:00:00Z"]
    assert answer["W-2"]["letters"] == []


def test_letters_are_hers_whatever_order_they_were_about(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"), opened("2026-03-02 09:30", order="W-2"), sent("2026-03-02 11:00"))
    answer = story.ask("histories", orders=["W-2"], letters_since=SINCE)["histories"]
    assert answer["W-2"]["letters"] == ["2026-03-02T11:00:00Z"]
    later = story.ask("histories", orders=["W-2"], letters_since="2026-03-02T12:00:00Z")["histories"]
    assert later["W-2"]["letters"] == []


def test_letters_to_another_who_has_the_same_number_elsewhere_are_not_hers(given: Given) -> None:
    elsewhere = opened("2026-03-02 09:30", order="W-2", source="retailer:other")
    story = given(opened("2026-03-02 09:00"), elsewhere, sent("2026-03-02 11:00"))
    answer = story.ask("histories", orders=["W-2"], letters_since=SINCE)["histories"]
    assert answer["W-2"]["letters"] == []
    assert story.ask("histories", orders=["W-1"], letters_since=SINCE)["histories"]["W-1"]["letters"] != []


def test_what_only_acknowledges_a_question_is_told_apart(given: Given) -> None:
    def told(name: str, at: str, kind: str, **data: str) -> Event:
        letter = sent(at, kind=kind, message=name)
        return letter.model_copy(update={"id": name, "data": letter.data | data})

    story = given(
        opened("2026-03-02 09:00"),
        told("m1", "2026-03-02 10:00", "asked"),
        told("m2", "2026-03-02 11:00", "received"),
        told("m3", "2026-03-02 11:00", "asked", letter="m2"),
        told("m4", "2026-03-02 12:00", "asked"),
        told("m5", "2026-03-02 12:00", "update", letter="m4"),
    )
    found = story.ask("histories", orders=["W-1"], letters_since=SINCE)["histories"]["W-1"]
    assert found["letters"] == [f"2026-03-02T{hour}:00:00Z" for hour in (10, 11, 12)]
    assert found["acknowledgements"] == ["2026-03-02T10:00:00Z"]


def test_with_the_zone_of_the_shop_that_answers_for_it(given: Given) -> None:
    policy = Policy.parse(f'[calendars.far]\nparties = ["{SHOP}"]\ntime_zone = "Pacific/Auckland"')
    data = {"digest": policy.digest, "policy": policy.canonical()}
    story = given(
        opened("2026-03-02 09:00"),
        received("importer:noord", "2026-03-02 10:00", order="W-2"),
        fact("policy.adopted", WATCHDOG, "2026-01-01 00:00", data, order=POLICY),
    )
    answer = story.ask("histories", orders=["W-1", "W-2"], letters_since=SINCE)["histories"]
    assert {order: history["time_zone"] for order, history in answer.items()} == {
        "W-1": "Pacific/Auckland",
        "W-2": "Europe/Amsterdam",
    }
    assert story.ask("closures", party=SHOP)["time_zone"] == "Pacific/Auckland"


def test_it_is_asked_with_a_list(given: Given) -> None:
    story = given(opened("2026-03-02 09:00"))
    for wrong in ("W-1", [1], ["W-1"] * 501):
        with pytest.raises(QueryError, match="list of up to 500 texts"):
            story.ask("histories", orders=wrong, letters_since=SINCE)
    with pytest.raises(QueryError, match="say since when"):
        story.ask("histories", orders=["W-1"])
