"""Facts that were said twice, taken back, or that nobody here understands."""

from __future__ import annotations

from tests.projections.story import (
    BENCH,
    IMPORTER,
    SHOP,
    Given,
    corrected,
    fact,
    handed,
    messages_of,
    model_rows,
    opened,
    received,
    rows_of_a_rebuild,
)

LEFT = handed(SHOP, IMPORTER, "2026-03-02 10:00")
CAME = received(IMPORTER, "2026-03-03 10:00")


def test_the_same_id_again_is_no_second_fact(given: Given) -> None:
    again = handed(SHOP, BENCH, "2026-03-04 10:00", id=LEFT.id)
    story = given(opened(), LEFT, CAME)
    story.database.apply(messages_of([again, again], first=4))
    story.then_order(facts=3, handoffs=1, holder=IMPORTER)
    assert story.ask("stats")["facts"] == 3
    entries = story.ask("timeline", order="W-1", raw=True)["entries"]
    assert [entry["voided"] for entry in entries] == [False, False, False, True, True]
    assert len(story.ask("timeline", order="W-1")["entries"]) == 3


def test_the_same_id_by_another_party_or_in_another_order_is_another_fact(given: Given) -> None:
    story = given(
        opened(),
        LEFT,
        received(IMPORTER, "2026-03-03 10:00", id=LEFT.id),
        handed(SHOP, IMPORTER, "2026-03-02 10:00", order="W-2"),
    )
    story.then_order(facts=3, holder=IMPORTER)
    story.then_order("W-2", facts=1)


def test_a_corrected_fact_counts_no_more_and_stays_in_the_raw_history(given: Given) -> None:
    story = given(opened(), LEFT, CAME, corrected(CAME, "2026-03-03 11:00"))
    story.then_order(status="in_transit", holder=SHOP, heading_to=IMPORTER, facts=3)
    raw = story.ask("timeline", order="W-1", raw=True)["entries"]
    assert [(entry["type"], entry["voided"]) for entry in raw] == [
        ("order.opened", False),
        ("item.handed_over", False),
        ("item.received", True),
        ("fact.corrected", False),
    ]


def test_the_pieces_of_a_story_make_the_whole(given: Given) -> None:
    on, there = handed(IMPORTER, BENCH, "2026-03-04 10:00"), received(BENCH, "2026-03-05 10:00")
    story = given(opened(), LEFT, CAME, on, there, corrected(there, "2026-03-05 11:00"))
    whole = story.ask("timeline", order="W-1", raw=True)
    pieces = [story.ask("timeline", order="W-1", raw=True, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    for name in ("entries", "handoffs", "commitments", "messages", "contacts"):
        assert max(len(piece[name]) for piece in pieces) <= 2
        assert [row for piece in pieces for row in piece[name]] == whole[name]
    assert len(whole["entries"]) == 6
    assert len(whole["handoffs"]) == 2
    assert all(piece["order"] == whole["order"] for piece in pieces)


def test_a_correction_may_come_before_what_it_corrects(given: Given) -> None:
    given(opened(), LEFT, corrected(CAME, "2026-03-03 11:00"), CAME).then_order(status="in_transit", facts=3)


def test_nobody_takes_back_what_another_said_but_the_chain_itself(given: Given) -> None:
    foreign = fact(
        "fact.corrected",
        SHOP,
        "2026-03-03 11:00",
        {"fact_id": CAME.id, "fact_source": IMPORTER, "reason": "did_not_occur"},
    )
    given(opened(), LEFT, CAME, foreign).then_order(status="received", facts=4)
    given(opened(), LEFT, CAME, corrected(CAME, "2026-03-03 11:00", source="chain:desk")).then_order(
        status="in_transit", facts=3
    )


def test_a_correction_that_is_corrected_is_void(given: Given) -> None:
    first = corrected(CAME, "2026-03-03 11:00", id="first")
    second = corrected(first, "2026-03-03 12:00", id="second")
    third = corrected(second, "2026-03-03 13:00", id="third")
    given(opened(), LEFT, CAME, first, second).then_order(status="received")
    # It cannot be reinstated; the fact has to be corrected anew.
    given(opened(), LEFT, CAME, first, second, third).then_order(status="received")
    anew = corrected(CAME, "2026-03-03 14:00", id="anew")
    given(opened(), LEFT, CAME, first, second, third, anew).then_order(status="in_transit")


def test_what_is_said_under_the_id_of_a_correction_of_itself_is_said_again(given: Given) -> None:
    itself = fact("fact.corrected", SHOP, "2026-03-02 10:00", {"fact_id": "one", "reason": "did_not_occur"}, id="one")
    again = handed(SHOP, IMPORTER, "2026-03-02 11:00", id="one")
    story = given(opened(), itself)
    story.database.apply(messages_of([again], first=3))
    assert model_rows(story.database) == rows_of_a_rebuild([opened(), itself, again])
    story.then_order(status="taken_in")


def test_an_order_that_was_opened_by_mistake_is_none(given: Given) -> None:
    mistake = opened()
    story = given(mistake, corrected(mistake, "2026-03-02 09:30"), opened(order="W-2"))
    assert story.ask("stats")["orders"] == 1
    raw = story.ask("timeline", order="W-1", raw=True)
    assert (raw["order"], [entry["voided"] for entry in raw["entries"]]) == (None, [True, False])


def test_what_we_do_not_know_is_kept_shown_and_left_out_of_account(given: Given) -> None:
    story = given(
        opened(),
        fact("item.received", BENCH, "2026-03-03 10:00", {"to": IMPORTER}, version=9),
        fact("drone.landed", BENCH, "2026-03-03 11:00", {"roof": True}),
        fact("party.renamed", IMPORTER, "2026-03-03 11:00", order=IMPORTER),
    )
    story.then_order(status="taken_in", holder=SHOP, facts=3)
    entries = story.ask("timeline", order="W-1")["entries"]
    assert [(entry["type"], entry["version"], entry["known"]) for entry in entries] == [
        ("order.opened", 1, True),
        ("item.received", 9, False),
        ("drone.landed", 1, False),
    ]
    assert entries[2]["data"] == {"roof": True}
    assert (story.ask("stats")["unknown_facts"], story.ask("stats")["orders"]) == (3, 1)
