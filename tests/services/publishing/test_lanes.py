"""What may not overtake, does not."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.publishing.lanes import Lanes
from tests.sampling import examples


def test_one_role_goes_at_once_and_the_next_waits_for_all_of_it() -> None:
    lanes: Lanes[str] = Lanes()
    assert lanes.enter("W-1", "retailer", "a")
    assert lanes.enter("W-1", "retailer", "b")
    assert not lanes.enter("W-1", "importer", "c")
    assert not lanes.enter("W-1", "retailer", "d")  # not before c
    assert lanes.enter("W-2", "importer", "e")
    assert lanes.leave("W-1") == []
    assert lanes.leave("W-1") == ["c"]
    assert lanes.waiting == 1
    assert lanes.leave("W-1") == ["d"]
    assert lanes.leave("W-1") == []
    assert lanes.enter("W-1", "importer", "f")


@settings(max_examples=examples(30, 100), deadline=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["retailer", "importer", "repairer"]))), st.randoms())
def test_in_whatever_order_they_arrive_nothing_overtakes_and_nothing_stays(
    entries: list[tuple[str, str]], random: object
) -> None:
    lanes: Lanes[int] = Lanes()
    on_their_way: list[int] = []
    arrived: list[int] = []

    def arrive() -> None:
        entry = on_their_way.pop(random.randrange(len(on_their_way)))  # type: ignore[attr-defined]
        arrived.append(entry)
        for free in lanes.leave(entries[entry][0]):
            check(free)

    def check(entry: int) -> None:
        lane, role = entries[entry]
        before = [each for each in range(entry) if entries[each][0] == lane]
        assert all(each in arrived or (each in on_their_way and entries[each][1] == role) for each in before)
        on_their_way.append(entry)

    for number, (lane, role) in enumerate(entries):
        if lanes.enter(lane, role, number):
            check(number)
        if on_their_way and random.random() < 0.4:  # type: ignore[attr-defined]
            arrive()
    while on_their_way:
        arrive()
    assert sorted(arrived) == list(range(len(entries)))
    assert lanes.waiting == 0
