"""The message that breaks a silence: it says what happened, forgets no delay, and holds to no date gone by."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from events.envelope import Event
from services.messages import decide_plan
from services.notifying.records import MessagePlan, MessagePolicy, Send, Suppress
from tests.services.notifying.chain import (
    AT_IMPORTER,
    AT_REPAIRER,
    COMPLETED,
    DAY,
    HOME,
    HOMEWARD,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    REPAIRER,
    SHOP,
    TO_IMPORTER,
    TO_REPAIRER,
    Chain,
    body_of,
    fact,
    handed,
    kind_of,
    opened,
    received,
)
from tests.services.notifying.post import extra

OUT = (OPENED, TO_IMPORTER, AT_IMPORTER, TO_REPAIRER, AT_REPAIRER)
AT_WORK = MONDAY + 2 * DAY + HOUR


def tell(chain: Chain, *events: Event) -> list[str | None]:
    return [chain.tell(event) for event in events]


def update(chain: Chain, at: datetime) -> MessagePlan:
    """What the silence up to ``at`` causes."""
    noted = chain.falls_overdue("update", at)
    plan = chain.plan_for(noted[-1])
    assert plan is not None
    assert plan.kind == "update"
    return plan


def sent(chain: Chain, plan: MessagePlan) -> None:
    message = chain.record(plan)
    assert chain.verdict_on(message) == Send()
    chain.sent(message)


# -- what happened meanwhile ------------------------------------------------------------------------------------------


HAPPENED = [
    (
        fact("diagnosis.made", REPAIRER, AT_WORK, summary="crown broken"),
        "it was examined (“crown broken”)",
        "onderzocht",
    ),
    (
        fact("part.ordered", REPAIRER, AT_WORK, part="crown"),
        "a part that it needs was ordered",
        "onderdeel voor besteld",
    ),
    (fact("part.rejected", REPAIRER, AT_WORK, part="crown", why="x"), "not to be the right one", "niet het juiste"),
    (fact("part.arrived", REPAIRER, AT_WORK, part="crown"), "the part that it needs arrived", "binnengekomen"),
    (fact("cover.decided", SHOP, AT_WORK, decision="covered", cause="x", decider="y"), "guarantee covers it", "onder"),
    (fact("repair.started", REPAIRER, AT_WORK), "the repair began", "met de reparatie begonnen"),
    (fact("work.paused", REPAIRER, AT_WORK, waiting_for="part"), "until a part is there", "tot er een onderdeel is"),
    (
        fact("visit.scheduled", SHOP, AT_WORK, visit="v", from_="2026-11-20T08:00:00Z", until="2026-11-20T10:00:00Z"),
        "a visit was planned for Friday 20 November between 09:00 and 11:00",
        "afgesproken voor vrijdag 20 november tussen 09.00 en 11.00 uur",
    ),
]


def test_what_happened_since_we_wrote_is_told(chain: Chain) -> None:
    chain.story(*OUT, *(happened for happened, _, _ in HAPPENED))
    plan = update(chain, MONDAY + 10 * DAY)
    english, dutch = body_of(plan), body_of(plan, "nl")
    assert (
        "This has happened since we last wrote to you about your Halden Meridian:\n- Wednesday 4 November: " in english
    )
    assert "Dit is er met uw Halden Meridian gebeurd sinds ons vorige bericht:\n- woensdag 4 november: " in dutch
    lines = [line for line in english.splitlines() if line.startswith("- ")]
    for (_, words, woorden), line in zip(HAPPENED, lines, strict=True):
        assert words in line
        assert woorden in dutch
    assert "no news" not in english


WRONG = fact("part.rejected", REPAIRER, AT_WORK, part="crown", why="x")
ASKED = fact("question.asked", REPAIRER, AT_WORK + HOUR, question="s", to="customer", text="Which strap?")


def test_a_wrong_part_is_told_though_she_was_asked_something_since(chain: Chain) -> None:
    chain.story(*OUT)
    chain.story(fact("part.ordered", REPAIRER, AT_WORK - HOUR / 2, part="crown"), WRONG, ASKED)
    chain.given(fact("question.answered", SHOP, AT_WORK + 2 * HOUR, question="s", text="leather"))
    plan = update(chain, MONDAY + 10 * DAY)
    body = body_of(plan)
    assert body.startswith("We are sorry: your Halden Meridian is not as far as we had expected by now.")
    assert [line.partition(": ")[2] for line in body.splitlines() if line.startswith("- ")] == [
        "a part that it needs was ordered.",
        "a part arrived that turned out not to be the right one.",
        "we got your answer.",
    ]
    sent(chain, plan)
    assert "not to be the right one" not in body_of(update(chain, MONDAY + 18 * DAY))


def test_a_wrong_part_is_told_though_it_was_written_since_that_the_part_is_late(chain: Chain) -> None:
    chain.story(*OUT, fact("part.ordered", REPAIRER, AT_WORK, part="dial"), WRONG)
    chain.told(chain.falls_overdue("part", MONDAY + 20 * DAY)[-1])
    assert "not to be the right one" in body_of(update(chain, MONDAY + 30 * DAY))


def test_what_is_not_sent_on_while_it_is_decided_who_pays_is_one_delay_and_not_two(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER, AT_IMPORTER)
    chain.given(fact("cover.claimed", SHOP, MONDAY + DAY + HOUR, decider=IMPORTER, cause="a fault"))
    late = MONDAY + 12 * DAY
    assert chain.falls_overdue("forward", late) == []
    (cover,) = chain.falls_overdue("cover", late)
    assert "the decision on the guarantee" in body_of(chain.plan_for(cover))
    assert "besloten moeten zijn of de reparatie onder de garantie valt" in body_of(chain.plan_for(cover), "nl")
    chain.given(fact("cover.decided", IMPORTER, late, decision="covered", cause="x", decider=IMPORTER))
    chain.told(chain.events[-1])
    assert chain.falls_overdue("forward", late + HOUR) == []
    (forward,) = chain.falls_overdue("forward", late + 4 * DAY)
    assert kind_of(chain.plan_for(forward)) == "overdue"


def test_how_it_stands_says_that_it_is_not_decided_who_pays(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER, AT_IMPORTER)
    chain.given(fact("cover.claimed", SHOP, MONDAY + DAY + HOUR, decider=IMPORTER, cause="a fault"))
    (news,) = chain.falls_overdue("update", MONDAY + 9 * DAY)
    waiting = chain.plan_for(news)
    assert body_of(waiting).count("whether the guarantee covers the repair; until then nothing is done that") == 1
    assert body_of(waiting, "nl").count("of de reparatie onder de garantie valt; tot dan gebeurt er niets") == 1
    chain.given(fact("cover.decided", IMPORTER, MONDAY + 9 * DAY, decision="covered", cause="x", decider=IMPORTER))
    chain.told(chain.events[-1])
    (news,) = chain.falls_overdue("update", MONDAY + 20 * DAY)
    assert "whether the guarantee covers the repair" not in body_of(chain.plan_for(news))


@pytest.mark.parametrize("claims", [True, False])
def test_that_it_has_arrived_does_not_hide_that_it_is_not_decided_who_pays(chain: Chain, claims: bool) -> None:
    claim = fact("cover.claimed", SHOP, MONDAY + HOUR / 2, decider=IMPORTER, cause="a fault")
    chain.story(OPENED)
    chain.given(*([claim] if claims else []), TO_IMPORTER, AT_IMPORTER)
    undecided = "It is still to be decided whether the guarantee covers the repair"
    assert (undecided in body_of(chain.plan_for(AT_IMPORTER))) is claims


def test_that_it_was_not_sent_on_is_not_told_once_a_decision_is_waited_for(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER, AT_IMPORTER)
    (forward,) = chain.falls_overdue("forward", MONDAY + 4 * DAY)
    message = chain.planned(forward)
    chain.given(fact("cover.claimed", SHOP, MONDAY + 4 * DAY, decider=IMPORTER, cause="a fault"))
    assert chain.verdict_on(message) == Suppress("met")


def test_what_names_a_link_of_the_chain_is_told_without_its_words(chain: Chain) -> None:
    chain.story(*OUT, fact("diagnosis.made", REPAIRER, AT_WORK, summary="seen by Noord"))
    chain.given(handed(REPAIRER, SHOP, AT_WORK + HOUR))
    body = body_of(update(chain, MONDAY + 10 * DAY))
    assert "- Wednesday 4 November: it was examined.\n- Wednesday 4 November: it was sent back to us.\n" in body


def test_what_she_was_told_already_is_no_news(chain: Chain) -> None:
    chain.story(*OUT, fact("part.ordered", REPAIRER, AT_WORK, part="crown"))
    sent(chain, update(chain, MONDAY + 10 * DAY))
    plan = update(chain, MONDAY + 18 * DAY)
    assert plan.news.since == ()
    assert "There is no news of your Halden Meridian yet" in body_of(plan)


def test_what_is_taken_back_is_not_told(chain: Chain) -> None:
    part = fact("part.ordered", REPAIRER, AT_WORK, part="crown")
    chain.story(*OUT, part, fact("fact.corrected", REPAIRER, AT_WORK + HOUR, fact_id=part.id, reason="did_not_occur"))
    assert update(chain, MONDAY + 10 * DAY).news.since == ()


def test_silence_goes_on_being_broken_in_other_words(chain: Chain) -> None:
    chain.story(*OUT)
    bodies, kinds = [], []
    for week in range(5):
        plan = chain.plan_for(chain.falls_overdue("update", MONDAY + (10 + 8 * week) * DAY)[-1])
        assert plan is not None
        bodies.append(body_of(plan))
        kinds.append(plan.kind)
        assert plan.next_news_by is not None
        sent(chain, plan)
    first, second, third, fourth, fifth = bodies
    assert kinds == ["update", "update", "update", "person", "update"]
    assert "There is no news of your Halden Meridian yet" in first
    assert second.startswith("We are sorry that it takes this long. There is still no news of your Halden Meridian.")
    assert (
        "The last news that we have is from Wednesday 4 November, two weeks ago; this is the second message" in second
    )
    assert "three weeks ago; this is the third message in a row" in third
    assert "Since then we have asked about it" not in third
    assert "If you would rather not wait any longer" in second
    assert "one of us will get in touch with you in person" in fourth
    assert fifth.startswith("We are sorry: we wrote to you that one of us would get in touch with you")


def test_what_went_in_one_letter_is_one_message_in_a_row(chain: Chain) -> None:
    chain.story(*OUT)
    sent(chain, update(chain, MONDAY + 10 * DAY))
    second = chain.record(update(chain, MONDAY + 18 * DAY))
    beside = extra(chain, second, "beside")
    chain.sent(second)
    chain.sent(beside, letter=second.message)
    assert "this is the third message in a row" in body_of(update(chain, MONDAY + 26 * DAY))


def test_that_an_answer_is_late_is_no_message_without_news_of_her_repair(chain: Chain) -> None:
    chain.story(*OUT)
    asked = fact("question.asked", "customer:C-77", AT_WORK, question="q", text="Is it waterproof?", to=SHOP)
    assert tell(chain, asked) == ["asked"]
    chain.told(chain.falls_overdue("answer", MONDAY + 9 * DAY)[-1])
    assert "There is no news of your Halden Meridian yet" in body_of(update(chain, MONDAY + 20 * DAY))


def test_that_a_person_will_be_in_touch_is_owed_until_one_was(chain: Chain) -> None:
    chain.story(*OUT)
    for week in range(4):
        plan = chain.plan_for(chain.falls_overdue("update", MONDAY + (10 + 8 * week) * DAY)[-1])
        assert plan is not None
        sent(chain, plan)
    calls = [row for row in chain.timeline["commitments"] if row["kind"] == "call"]
    assert [(row["owner"], row["state"]) for row in calls] == [(SHOP, "open")]
    chain.given(fact("customer.contacted", SHOP, chain.clock.now() + HOUR, channel="phone", direction="outbound"))
    calls = [row for row in chain.timeline["commitments"] if row["kind"] == "call"]
    assert [row["state"] for row in calls] == ["met"]
    # From there on the letters begin anew.
    assert kind_of(chain.plan_for(chain.falls_overdue("update", chain.clock.now() + 10 * DAY)[-1])) == "update"


def test_a_policy_may_leave_it_to_letters(chain: Chain) -> None:
    never = MessagePolicy(most_silent=0)
    chain.story(*OUT)
    for week in range(4):
        (noted, *_) = chain.falls_overdue("update", MONDAY + (10 + 8 * week) * DAY)
        timeline = {**chain.timeline, "rules": {"most_silent": 0}}
        plan = decide_plan(noted, timeline, never, chain.clock.now())
        assert plan is not None
        assert plan.kind == "update"
        sent(chain, plan)


# -- dates that have passed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            fact("part.ordered", REPAIRER, AT_WORK, part="crown", expected_by="2026-11-06T16:00:00Z"),
            "It was expected",
        ),
        (fact("repair.started", REPAIRER, AT_WORK, expected_by="2026-11-06T16:00:00Z"), "We expected that to be done"),
    ],
)
def test_a_date_that_has_passed_is_owned_up_to(chain: Chain, step: Event, words: str) -> None:
    chain.story(*OUT, step)
    plan = update(chain, MONDAY + 10 * DAY)
    assert f"{words} by Friday 6 November. That date has passed, and we have no new one yet." in body_of(plan)
    assert "Die datum is voorbij, en we hebben nog geen nieuwe." in body_of(plan, "nl")


def test_a_date_that_she_was_told_since_goes_before_one_that_has_passed(chain: Chain) -> None:
    ordered = fact("part.ordered", REPAIRER, AT_WORK, part="crown", expected_by="2026-11-06T16:00:00Z")
    promised = fact(
        "promise.made", REPAIRER, AT_WORK + DAY, promise="p", what="x", kind="repair", by_when="2026-11-20T16:00:00Z"
    )
    chain.story(*OUT, ordered)
    chain.given(promised)
    chain.told(promised)
    plan = update(chain, MONDAY + 12 * DAY)
    assert "We expect the repair to be done by Friday 20 November." in body_of(plan)
    assert "no new one yet" not in body_of(plan)
    assert "dat de reparatie uiterlijk vrijdag 20 november klaar is" in body_of(plan, "nl")


def test_what_she_says_herself_is_no_news_that_we_have(chain: Chain) -> None:
    chain.story(*OUT)
    asked = fact("question.asked", SHOP, AT_WORK + 5 * DAY, question="q", text="When is it ready?", to=SHOP)
    chain.given(asked, fact("customer.contacted", SHOP, AT_WORK + 6 * DAY, channel="phone", direction="inbound"))
    assert update(chain, MONDAY + 20 * DAY).news.last_fact_at == AT_REPAIRER.time


def test_only_others_are_said_to_have_been_asked(chain: Chain) -> None:
    chain.story(OPENED)
    (late,) = chain.falls_overdue("forward", MONDAY + 5 * DAY)
    chain.told(late)
    assert update(chain, MONDAY + 13 * DAY).news.chased == 0


def test_a_date_that_is_still_to_come_is_named(chain: Chain) -> None:
    chain.story(*OUT, fact("part.ordered", REPAIRER, AT_WORK, part="crown", expected_by="2026-11-27T16:00:00Z"))
    body = body_of(update(chain, MONDAY + 10 * DAY))
    assert "expected by Friday 27 November" in body
    assert "has passed" not in body


def test_the_date_of_a_step_that_is_done_is_of_no_concern(chain: Chain) -> None:
    ordered = fact("part.ordered", REPAIRER, AT_WORK, part="crown", expected_by="2026-11-06T16:00:00Z")
    chain.story(*OUT, ordered, fact("part.arrived", REPAIRER, AT_WORK + 3 * DAY, part="crown"))
    assert "has passed" not in body_of(update(chain, MONDAY + 10 * DAY))


# -- prices -----------------------------------------------------------------------------------------------------------


def quote(until: str) -> Event:
    return fact("quote.offered", REPAIRER, AT_WORK, quote="q1", amount="85.00", currency="EUR", valid_until=until)


def test_a_price_that_has_run_out_is_not_named_as_if_it_held(chain: Chain) -> None:
    chain.story(*OUT, quote("2026-11-09T11:00:00Z"))
    plan = update(chain, MONDAY + 11 * DAY)
    body = body_of(plan)
    assert "€85.00" not in body
    assert "The price that we named was valid until Monday 9 November at 12:00, and no longer is." in body
    assert "gold tot maandag 9 november om 12.00 uur en geldt nu niet meer" in body_of(plan, "nl")


@pytest.mark.parametrize("late", [False, True])
def test_a_yes_is_held_against_the_day_until_which_the_price_was_valid(chain: Chain, late: bool) -> None:
    chain.story(*OUT, quote("2026-11-06T16:00:00Z"))
    said = fact("quote.accepted", SHOP, AT_WORK + (5 if late else 1) * DAY, quote="q1")
    plan = chain.given(said).plan_for(said)
    assert plan is not None
    assert plan.news.decision is not None
    assert plan.news.decision.lapsed is late


def test_a_price_that_holds_is_repeated(chain: Chain) -> None:
    chain.story(*OUT, quote("2026-11-30T11:00:00Z"))
    body = body_of(update(chain, MONDAY + 11 * DAY))
    assert "which costs €85.00, tax included" in body
    assert "The price holds until Monday 30 November at 12:00." in body


def test_other_news_does_not_repeat_a_price_that_has_run_out(chain: Chain) -> None:
    chain.story(*OUT, quote("2026-11-05T11:00:00Z"))
    chain.story(handed(REPAIRER, IMPORTER, MONDAY + 3 * DAY))
    back = received(IMPORTER, MONDAY + 4 * DAY)
    body = body_of(chain.given(back).plan_for(back))
    assert "and no longer is" in body
    assert "€85.00" not in body


def test_a_price_that_runs_out_while_its_message_waits_is_not_offered(chain: Chain) -> None:
    chain.story(*OUT)
    offered = quote("2026-11-05T11:00:00Z")
    message = chain.given(offered).planned(offered)
    assert chain.verdict_on(message) == Send()
    assert chain.verdict_on(message, now=MONDAY + 3 * DAY + HOUR) == Suppress("stale")


# -- delays -----------------------------------------------------------------------------------------------------------


def delayed(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER)
    (overdue,) = chain.falls_overdue("receive", MONDAY + 3 * DAY)
    chain.told(overdue)


def test_an_update_remembers_the_delay(chain: Chain) -> None:
    delayed(chain)
    plan = update(chain, MONDAY + 12 * DAY)
    assert "There is still no word that your Halden Meridian has arrived" in body_of(plan)
    assert "sent on for the next step of its repair on Monday 2 November" in body_of(plan)
    assert "should have been confirmed by Wednesday 4 November" in body_of(plan)
    assert "Er is nog steeds geen bericht dat uw Halden Meridian is aangekomen" in body_of(plan, "nl")


def test_the_arrival_after_a_delay_is_the_all_clear_and_given_once(chain: Chain) -> None:
    delayed(chain)
    late = received(IMPORTER, MONDAY + 5 * DAY)
    plan = chain.given(late).plan_for(late)
    assert kind_of(plan) == "received"
    assert body_of(plan).startswith("The delay that we wrote to you about is over. Thank you for your patience.")
    assert "De vertraging waarover we u schreven, is voorbij." in body_of(plan, "nl")
    chain.told(late)
    chain.story(handed(IMPORTER, REPAIRER, MONDAY + 5 * DAY + HOUR))
    next_one = received(REPAIRER, MONDAY + 7 * DAY)
    assert "delay" not in body_of(chain.given(next_one).plan_for(next_one))


def test_the_all_clear_comes_with_whatever_shows_the_arrival(chain: Chain) -> None:
    delayed(chain)
    done = fact("repair.completed", IMPORTER, MONDAY + 5 * DAY)
    assert body_of(chain.given(done).plan_for(done)).startswith("The delay that we wrote to you about is over")


def test_without_a_delay_there_is_no_all_clear(chain: Chain) -> None:
    chain.story(*OUT, COMPLETED, HOMEWARD)
    assert "delay" not in body_of(chain.given(HOME).plan_for(HOME))


# -- another attempt --------------------------------------------------------------------------------------------------


def failed_at(by: str, at: datetime) -> Event:
    return fact("repair.failed", by, at, why="no tools for it", options=["repair", "refund"])


def test_what_could_not_be_repaired_and_is_sent_on_is_not_on_its_way_home(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER, AT_IMPORTER, failed_at(IMPORTER, MONDAY + DAY + HOUR / 2), TO_REPAIRER)
    plan = chain.given(AT_REPAIRER).plan_for(AT_REPAIRER)
    body = body_of(plan)
    assert "The first attempt to repair your Halden Meridian did not succeed. It has been sent on" in body
    assert "What happens next: it will be examined there" in body
    assert "back to us" not in body
    assert "Een eerste poging om uw Halden Meridian te repareren is niet gelukt." in body_of(plan, "nl")
    chain.told(AT_REPAIRER)
    assert "it still has to be examined" in body_of(update(chain, MONDAY + 12 * DAY))


def test_what_could_not_be_repaired_and_goes_back_the_way_it_came_is_on_its_way_home(chain: Chain) -> None:
    chain.story(*OUT, failed_at(REPAIRER, AT_WORK), handed(REPAIRER, IMPORTER, AT_WORK + HOUR))
    back = received(IMPORTER, AT_WORK + DAY)
    assert "Your Halden Meridian is on its way back to us." in body_of(chain.given(back).plan_for(back))


def test_a_choice_that_the_next_attempt_has_overtaken_is_not_put_to_her(chain: Chain) -> None:
    chain.story(OPENED, TO_IMPORTER, AT_IMPORTER)
    chain.given(failed_at(IMPORTER, MONDAY + DAY + HOUR / 2), TO_REPAIRER, AT_REPAIRER)
    assert kind_of(chain.plan_for(AT_REPAIRER)) == "received"


def test_a_failure_reported_after_it_came_home_is_told(chain: Chain) -> None:
    chain.story(*OUT, fact("repair.completed", REPAIRER, AT_WORK), handed(REPAIRER, SHOP, AT_WORK + HOUR))
    home = received(SHOP, AT_WORK + DAY)
    assert chain.tell(home) == "ready"
    late = fact("repair.failed", REPAIRER, AT_WORK + timedelta(minutes=5), recorded=AT_WORK + 2 * DAY, why="it leaks")
    assert chain.tell(late) == "failed"


def test_that_no_visit_was_planned_is_what_is_late_where_it_is_mended_at_her_home(chain: Chain) -> None:
    chain.given(opened(at_home=True)).told(chain.events[-1])
    (late,) = chain.falls_overdue("forward", MONDAY + 6 * DAY)
    assert body_of(chain.plan_for(late)).startswith(
        "We are sorry: we have not agreed on a day with you yet for our visit"
    )
    assert body_of(chain.plan_for(late), "nl").startswith("Het spijt ons: we hebben nog geen dag met u afgesproken")
