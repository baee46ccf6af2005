"""An order of several things that go different ways, and one that is mended where she has it: what each letter is
about, and which is the last."""

from __future__ import annotations

from typing import Any

import pytest

from events.envelope import Event, make_event
from services.messages import decide_plan
from services.notifying.history import History
from services.notifying.several import given_back, holder_of, left_of_several, status_of_item, still_out
from tests.services.notifying.chain import (
    DAY,
    HOUR,
    IMPORTER,
    MONDAY,
    POLICY,
    REPAIRER,
    SHOP,
    Chain,
    body_of,
    closed,
    fact,
    handed,
    kind_of,
    opened,
    received,
)
from tests.services.notifying.post import teller

BOTH = opened(product={"brand": "Halden", "model": "Duo"}, items=[{"item": "kettle"}, {"item": "toaster"}])
AWAY = (handed(SHOP, IMPORTER, MONDAY + HOUR, item="toaster"), received(IMPORTER, MONDAY + DAY, item="toaster"))
MENDED = fact("repair.completed", SHOP, MONDAY + 2 * DAY, item="kettle")
BACK = fact("item.returned", SHOP, MONDAY + 3 * DAY, item="kettle")
FAILED = fact(
    "repair.failed", IMPORTER, MONDAY + 15 * DAY, why="the board is burnt", options=["refund"], item="toaster"
)


def story(chain: Chain) -> History:
    return History.of(chain.timeline)


def test_what_she_has_back_and_what_is_still_to_come(chain: Chain) -> None:
    chain.given(BOTH, *AWAY, MENDED)
    assert (given_back(story(chain)), left_of_several(story(chain))) == ((), None)
    chain.given(BACK)
    history = story(chain)
    assert (given_back(history), still_out(history), left_of_several(history)) == (("kettle",), ("toaster",), "toaster")
    assert (holder_of(history, "toaster"), status_of_item(history, "toaster")) == (IMPORTER, "received")
    assert (holder_of(history, "kettle"), status_of_item(history, "kettle")) == ("customer", "returned")


def test_of_a_return_that_says_not_which_nobody_can_tell_unless_all_went_together(chain: Chain) -> None:
    chain.given(BOTH, *AWAY, MENDED, fact("item.returned", SHOP, MONDAY + 3 * DAY))
    assert still_out(story(chain)) == ("kettle", "toaster")


def test_all_that_went_together_is_back_together(chain: Chain) -> None:
    chain.given(BOTH, handed(SHOP, IMPORTER, MONDAY + HOUR), fact("item.returned", SHOP, MONDAY + 3 * DAY))
    assert still_out(story(chain)) == ()


def test_while_another_is_in_hand_no_letter_about_one_of_them_is_the_last(chain: Chain) -> None:
    chain.given(BOTH, *AWAY)
    chain.given(MENDED)
    mended = chain.plan_for(MENDED)
    assert mended is not None
    assert "If it is still here" not in body_of(mended)
    assert "- still in hand: toaster" in body_of(mended)
    chain.sent(chain.record(mended))
    chain.given(BACK)
    (ask,) = chain.falls_overdue("check", MONDAY + 4 * DAY + HOUR)
    check = chain.plan_for(ask)
    assert (kind_of(check), check and check.next_news_by) == ("check", mended.next_news_by)
    body = body_of(check)
    assert body.startswith("Your Halden Duo (kettle) was repaired")
    assert "- still in hand: toaster" in body
    assert "last message" not in body
    assert "- nog in behandeling: toaster" in body_of(check, "nl")


def test_what_she_waits_for_is_what_the_next_letters_are_about(chain: Chain) -> None:
    """As if all of it were back, it said that her things should be with her by now."""
    chain.given(BOTH, *AWAY, MENDED, BACK)
    (silence,) = chain.falls_overdue("update", MONDAY + 12 * DAY)
    body = body_of(chain.plan_for(silence))
    assert "your Halden Duo (toaster) is at the service centre" in body
    assert "- done: kettle" in body
    assert "should be back with you" not in body


def test_how_it_ended_is_said_of_the_one_that_it_is_so_of(chain: Chain) -> None:
    end = closed(MONDAY + 20 * DAY, "refunded")
    chain.given(BOTH, *AWAY, MENDED, BACK, FAILED, end)
    body = body_of(chain.plan_for(end))
    assert "the repair of your Halden Duo (toaster): you get your money back" in body
    assert "- done: kettle" in body


def test_once_she_has_all_of_them_and_was_asked_she_is_left_in_peace(chain: Chain) -> None:
    chain.given(BOTH, *AWAY, MENDED, BACK, fact("item.returned", SHOP, MONDAY + 16 * DAY, item="toaster"))
    (ask,) = chain.falls_overdue("check", MONDAY + 18 * DAY)
    check = chain.plan_for(ask)
    assert check is not None
    assert check.next_news_by is None
    chain.sent(chain.record(check))
    assert chain.falls_overdue("update", MONDAY + 27 * DAY) == []


# -- at her home -------------------------------------------------------------------------------------------------------

ENGINEER = "repairer:tick"
AT_HOME = opened(urgency="urgent", at_home=True)
DONE = fact("repair.completed", ENGINEER, MONDAY + DAY, summary="new valve")


def thanks(at: int) -> Event:
    said = "All warm again"
    then = MONDAY + at * HOUR
    return fact("customer.contacted", "customer:C-77", then, channel="email", direction="inbound", summary=said)


@pytest.mark.parametrize("wrote", [False, True])
def test_what_was_mended_at_her_home_is_asked_about_once(chain: Chain, wrote: bool) -> None:
    """It was asked every twelve hours, for ever, and of her who had said that all is well, as if she had not."""
    chain.given(AT_HOME)
    chain.given(DONE)
    mended = chain.plan_for(DONE)
    assert "at the latest, when we ask you whether all is well" in body_of(mended)
    chain.told(DONE, named=MONDAY + 2 * DAY)
    if wrote:
        chain.given(thanks(26))
    (silence,) = chain.falls_overdue("update", MONDAY + 3 * DAY)
    plan = chain.plan_for(silence)
    assert plan is not None
    assert (plan.kind, plan.next_news_by) == ("update", None)
    body = body_of(plan)
    assert body.startswith("Thank you for your message. Your" if wrote else "Your Halden Meridian has been repaired.")
    assert ("a word from you is enough" in body) is not wrote
    assert "If you do not have it" not in body
    chain.sent(chain.record(plan))
    for day in (6, 9):
        assert all(chain.plan_for(each) is None for each in chain.falls_overdue("update", MONDAY + day * DAY))


@pytest.mark.parametrize("ends", ["unit.replaced", None])
def test_who_comes_once_more_is_announced_with_a_date_and_asked_about_anew(chain: Chain, ends: str | None) -> None:
    """It dripped again, and the letter with the second visit was the last that she ever got."""
    chain.given(AT_HOME, DONE)
    chain.told(DONE, named=MONDAY + 2 * DAY)
    (silence,) = chain.falls_overdue("update", MONDAY + 3 * DAY)
    asks = chain.plan_for(silence)
    assert asks is not None
    chain.sent(chain.record(asks))
    window: dict[str, Any] = {
        "from": (MONDAY + 6 * DAY).isoformat(),
        "until": (MONDAY + 6 * DAY + 2 * HOUR).isoformat(),
    }
    again = fact("visit.scheduled", ENGINEER, MONDAY + 4 * DAY, visit="v2", **window)
    plan = chain.given(again).plan_for(again)
    assert plan is not None
    assert plan.next_news_by is not None
    assert "our last message" not in body_of(plan)
    chain.told(again, named=MONDAY + 8 * DAY)
    chain.given(fact("visit.done", ENGINEER, MONDAY + 6 * DAY + HOUR, visit="v2", result="a new seal"))
    if ends is not None:
        chain.given(fact(ends, ENGINEER, MONDAY + 6 * DAY + 2 * HOUR))
    plan = chain.plan_for(chain.falls_overdue("update", MONDAY + 9 * DAY)[-1])
    assert plan is not None
    assert (plan.kind, plan.next_news_by) == ("update", None)
    assert "a word from you is enough" in body_of(plan)


def test_what_was_mended_by_somebody_who_may_have_taken_it_along_is_asked_about_again(chain: Chain) -> None:
    chain.given(opened())
    chain.tell(DONE)
    (silence,) = chain.falls_overdue("update", MONDAY + 12 * DAY)
    plan = chain.plan_for(silence)
    assert plan is not None
    assert plan.next_news_by is not None
    assert "If you do not have it" in body_of(plan)


# -- a step that was not taken -----------------------------------------------------------------------------------------

PAUSED = fact("work.paused", SHOP, MONDAY + HOUR, waiting_for="other", why="the workshop is full")


def test_that_it_was_not_sent_on_is_said_in_the_news_of_that_day_and_then_not_once_more(chain: Chain) -> None:
    """Two hours after she had read that the work is paused, a letter told of a delay."""
    chain.tell(opened())
    chain.given(PAUSED)
    (silence,) = chain.falls_overdue("update", MONDAY + 9 * DAY)
    plan = chain.plan_for(silence)
    assert plan is not None
    body = " ".join(body_of(plan).split())
    assert "is paused for the moment" in body
    assert "We had expected the next step by Wednesday 4 November" in body
    assert "De volgende stap hadden we uiterlijk woensdag 4 november verwacht" in " ".join(body_of(plan, "nl").split())
    chain.sent(chain.record(plan))
    (late,) = chain.falls_overdue("forward", MONDAY + 9 * DAY + 2 * HOUR, level=2)
    assert chain.plan_for(late) is None


# -- a workshop that is closed -----------------------------------------------------------------------------------------

OUT = (opened(), handed(SHOP, ENGINEER, MONDAY + HOUR), received(ENGINEER, MONDAY + DAY))
HOLIDAY = (MONDAY + 5 * DAY, MONDAY + 19 * DAY)


def test_that_the_workshop_is_closed_is_said_where_it_matters(chain: Chain) -> None:
    """For two weeks she read that we are still on it, while nobody was there, as the shop knew."""
    chain.story(*OUT)
    (silence,) = chain.falls_overdue("update", MONDAY + 9 * DAY)
    plan = decide_plan(silence, chain.timeline, POLICY, chain.clock.now(), away=[HOLIDAY])
    body = " ".join(body_of(plan).split())
    assert (
        "The workshop is closed at the moment and opens again on Monday 23 November. Until then nothing is done" in body
    )
    assert "we are still on it" not in body
    assert "De werkplaats is op dit moment gesloten en gaat maandag 23 november weer open." in " ".join(
        body_of(plan, "nl").split()
    )
    done = fact("repair.completed", ENGINEER, MONDAY + 10 * DAY)
    chain.given(done)
    mended = decide_plan(done, chain.timeline, POLICY, chain.clock.now(), away=[HOLIDAY])
    assert "The workshop" not in body_of(mended)


async def test_what_the_workshop_has_announced_is_asked_for(chain: Chain) -> None:
    begin, end = (each.isoformat() for each in HOLIDAY)
    said = MONDAY + DAY
    shut = make_event(
        "party.closed",
        source=ENGINEER,
        id="holiday",
        subject=ENGINEER,
        time=said,
        recordedtime=said,
        data={"from": begin, "until": end},
    )
    chain.story(*OUT)
    (silence,) = chain.given(shut).falls_overdue("update", MONDAY + 9 * DAY)
    await teller(chain).handle(silence)
    assert "The workshop is closed at the moment" in chain.named("message.sent")[-1].data["body"]


# -- a unit that another one took the place of -------------------------------------------------------------------------


def test_where_the_replaced_unit_goes_is_nothing_to_her(chain: Chain) -> None:
    """It went on to the importer weeks later, and she read that hers had arrived there."""
    replaced = fact("unit.replaced", ENGINEER, MONDAY + 2 * DAY, old_serial="HM-20417", new_serial="HM-30001")
    home = received(SHOP, MONDAY + 3 * DAY)
    returned = fact("item.returned", SHOP, MONDAY + 4 * DAY)
    chain.story(*OUT, replaced, handed(ENGINEER, SHOP, MONDAY + 2 * DAY + HOUR), home, returned)
    away = handed(ENGINEER, IMPORTER, MONDAY + 5 * DAY, item="HM-20417")
    there = received(IMPORTER, MONDAY + 10 * DAY, item="HM-20417")
    chain.given(away)
    assert story(chain).status == "returned"
    assert [chain.plan_for(late) for late in chain.falls_overdue("receive", MONDAY + 9 * DAY)] == [None]
    chain.given(there)
    assert chain.plan_for(there) is None
    history = story(chain)
    assert (history.status, history.holder) == ("returned", "customer")


def test_what_was_lost_on_its_way_and_replaced_by_us_is_not_on_its_way_back(chain: Chain) -> None:
    """Another watch lay ready in the shop, and she read that hers had been replaced and was on its way back."""
    chain.story(opened(), handed(SHOP, ENGINEER, MONDAY + HOUR))
    chain.given(fact("unit.replaced", SHOP, MONDAY + 6 * DAY, old_serial="HM-20417", new_serial="HM-30001"))
    (silence,) = chain.falls_overdue("update", MONDAY + 9 * DAY)
    said = body_of(chain.plan_for(silence))
    assert "The replacement for your Halden Meridian is here with us, ready for you." in said
    assert "on its way" not in said


def test_one_of_several_things_that_does_not_arrive_is_told_whatever_becomes_of_another(chain: Chain) -> None:
    """The kettle was lost on its way to the importer, and that the toaster had come to the workshop hid it."""
    chain.story(BOTH, handed(SHOP, IMPORTER, MONDAY + HOUR, item="kettle"))
    chain.given(handed(SHOP, ENGINEER, MONDAY + 2 * HOUR, item="toaster"))
    assert chain.tell(received(ENGINEER, MONDAY + DAY, item="toaster")) == "received"
    (late,) = chain.falls_overdue("receive", MONDAY + 3 * DAY)
    said = body_of(chain.plan_for(late))
    assert "We are sorry: there is a delay with your Halden Duo (kettle)." in said
    chain.given(received(IMPORTER, MONDAY + DAY, item="kettle"))
    assert chain.plan_for(late) is None


def test_a_price_for_one_thing_undoes_nothing_of_another_that_is_done(chain: Chain) -> None:
    price = fact("quote.offered", IMPORTER, MONDAY + 8 * DAY, quote="q", amount="35.00", currency="EUR")
    yes = fact("quote.accepted", "customer:C-77", MONDAY + 9 * DAY, quote="q")
    chain.given(BOTH, *AWAY, MENDED, BACK, price)
    assert "the repair of your Halden Duo (toaster) costs" in body_of(chain.plan_for(price))
    done = fact("repair.completed", IMPORTER, MONDAY + 10 * DAY, item="toaster")
    chain.given(yes, done)
    assert "- done: kettle" in body_of(chain.plan_for(done))


def test_whether_all_is_well_is_asked_once_of_each(chain: Chain) -> None:
    chain.story(BOTH, *AWAY, MENDED, BACK)
    (ask,) = chain.falls_overdue("check", MONDAY + 4 * DAY + HOUR)
    chain.told(ask)
    done = fact("repair.completed", IMPORTER, MONDAY + 7 * DAY, item="toaster")
    chain.tell(done)
    chain.given(fact("item.returned", SHOP, MONDAY + 9 * DAY, item="toaster"))
    (again,) = chain.falls_overdue("check", MONDAY + 11 * DAY)
    assert body_of(chain.plan_for(again)).startswith("Your Halden Duo (toaster) was repaired")


def test_taken_up_again_while_she_has_it_she_is_asked_to_bring_it(chain: Chain) -> None:
    home = (handed(ENGINEER, SHOP, MONDAY + 2 * DAY), received(SHOP, MONDAY + 3 * DAY))
    back = (fact("item.returned", SHOP, MONDAY + 4 * DAY), closed(MONDAY + 4 * DAY + HOUR))
    again = fact("order.reopened", SHOP, MONDAY + 8 * DAY)
    chain.story(*OUT, fact("repair.completed", ENGINEER, MONDAY + 2 * DAY), *home, *back)
    chain.given(again)
    assert "if you still have it, please bring or send it to us. We will find out" in body_of(chain.plan_for(again))
    chain.told(again)
    (silence,) = chain.falls_overdue("update", MONDAY + 18 * DAY)
    body = body_of(chain.plan_for(silence))
    assert "If you still have your Halden Meridian, please bring or send it to us" in body
    assert "stage of its repair" not in body


@pytest.mark.parametrize(("ended", "said"), [(True, "it was sent to us, repaired"), (False, "it was sent back to us")])
def test_what_comes_back_repaired_was_not_sent_back(chain: Chain, ended: bool, said: str) -> None:
    chain.story(*OUT)
    if ended:
        chain.tell(fact("repair.completed", ENGINEER, MONDAY + 2 * DAY))
    chain.given(handed(ENGINEER, SHOP, MONDAY + 2 * DAY + HOUR))
    (silence,) = chain.falls_overdue("update", MONDAY + 11 * DAY)
    assert said in body_of(chain.plan_for(silence))


def test_what_is_late_with_one_of_them_is_told_of_that_one(chain: Chain) -> None:
    both = (handed(SHOP, REPAIRER, MONDAY + HOUR), received(REPAIRER, MONDAY + DAY))
    examined = fact("diagnosis.made", REPAIRER, MONDAY + DAY + HOUR, summary="burnt")
    mended = fact("repair.completed", REPAIRER, MONDAY + 2 * DAY, item="kettle")
    home = handed(REPAIRER, SHOP, MONDAY + 2 * DAY + HOUR, item="kettle")
    chain.story(BOTH, *both, examined, mended, home, received(SHOP, MONDAY + 3 * DAY, item="kettle"))
    (late,) = chain.falls_overdue("repair", MONDAY + 16 * DAY)
    body = body_of(chain.plan_for(late))
    assert "the repair of your Halden Duo (toaster) takes longer than we had expected" in body
    assert "- done: kettle" in body


def test_what_lies_still_while_another_went_on_is_told_once(chain: Chain) -> None:
    chain.story(BOTH, handed(SHOP, IMPORTER, MONDAY + HOUR, item="toaster"))
    (late,) = chain.falls_overdue("forward", MONDAY + 4 * DAY)
    assert "there is a delay with your Halden Duo (kettle)" in body_of(chain.plan_for(late))
    chain.story(late, received(IMPORTER, MONDAY + 4 * DAY + HOUR, item="toaster"))
    # Both are to be sent on; of the kettle she has heard.
    kettle, _ = chain.falls_overdue("forward", MONDAY + 9 * DAY)
    assert chain.plan_for(kettle) is None


@pytest.mark.parametrize(
    ("kind", "said"),
    [("forward", "we had expected it to be on its way by Thursday 5 November"), ("update", "it was replaced")],
)
def test_what_the_importer_replaced_is_not_ready_at_the_shop(chain: Chain, kind: str, said: str) -> None:
    """The shop has the old unit, and the importer owes the other one."""
    chain.story(opened(), fact("unit.replaced", IMPORTER, MONDAY + DAY, new_serial="HM-30001"))
    (late,) = chain.falls_overdue(kind, MONDAY + 12 * DAY)
    body = body_of(chain.plan_for(late))
    assert said in body
    assert "ready for you" not in body
