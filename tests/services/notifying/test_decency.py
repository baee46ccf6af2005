"""When a message may go out: quiet hours on her own clock, so many letters a day, and what breaks through."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from projections.policies.messages import MessageRules
from projections.policy import Policy, PolicyError
from services.contact import Contact
from services.notifying.decency import Manners, not_before, waits_for_more

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NIGHTS = Manners(AMSTERDAM, (time(21), time(8)), most_a_day=3, patience=timedelta(minutes=6))
RULES = MessageRules(quiet="21:00-8:00", most_a_day=3).model_dump()


def local(text: str, zone: ZoneInfo = AMSTERDAM) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def until(
    at: str,
    manners: Manners = NIGHTS,
    *,
    kind: str = "received",
    urgency: str | None = None,
    letters: int = 0,
    ago: timedelta = timedelta(hours=1),
) -> str:
    now = local(at)
    found = not_before(manners, now, kind=kind, happened=now - ago, urgency=urgency, letters=letters)
    return "now" if found == now else f"{found.astimezone(manners.zone):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-02 07:59", "2026-11-02 08:00"),
        ("2026-11-02 08:00", "now"),
        ("2026-11-02 20:59", "now"),
        ("2026-11-02 21:00", "2026-11-03 08:00"),
        ("2026-11-02 23:30", "2026-11-03 08:00"),
        ("2026-11-03 00:00", "2026-11-03 08:00"),
        # The nights in which the clocks change have a morning like any other.
        ("2026-10-24 22:00", "2026-10-25 08:00"),
        ("2027-03-27 22:00", "2027-03-28 08:00"),
    ],
)
def test_at_night_a_routine_message_waits_for_the_morning(at: str, expected: str) -> None:
    assert until(at) == expected


def test_quiet_hours_within_a_day() -> None:
    siesta = Manners(AMSTERDAM, (time(13), time(15)))
    assert until("2026-11-02 13:30", siesta) == "2026-11-02 15:00"
    assert until("2026-11-02 15:00", siesta) == "now"
    assert until("2026-11-02 23:00", siesta) == "now"


@pytest.mark.parametrize("urgency", ["urgent", "safety"])
def test_what_is_urgent_breaks_them(urgency: str) -> None:
    assert until("2026-11-02 03:00", urgency=urgency) == "now"
    assert until("2026-11-02 03:00", urgency="routine") == "2026-11-02 08:00"
    assert until("2026-11-02 12:00", urgency=urgency, letters=9) == "now"


@pytest.mark.parametrize("kind", ["update", "person", "check"])
def test_nobody_is_woken_for_a_letter_that_only_time_has_brought_about(kind: str) -> None:
    assert until("2026-11-02 03:00", kind=kind, urgency="urgent") == "2026-11-02 08:00"
    assert until("2026-11-02 12:00", kind=kind, urgency="urgent") == "now"
    # It was promised for today, however many letters there were.
    assert until("2026-11-02 12:00", kind=kind, urgency="urgent", letters=9) == "now"
    assert until("2026-11-02 03:00", Manners(AMSTERDAM), kind=kind, urgency="urgent") == "now"


def test_nobody_is_woken_for_a_delay_but_whoever_waits_for_a_visit() -> None:
    night = local("2026-11-02 22:00")

    def heard(late: str) -> datetime:
        return not_before(NIGHTS, night, kind="overdue", happened=night, urgency="urgent", letters=0, late=late)

    assert heard("repair") == local("2026-11-03 08:00")
    # She was told that she has it an hour after she is up.
    assert heard("answer") == local("2026-11-03 09:00")
    assert heard("visit") == night


def test_what_she_did_just_now_is_confirmed_at_any_hour() -> None:
    assert until("2026-11-02 23:00", kind="opened", ago=timedelta(minutes=1)) == "now"
    assert until("2026-11-02 23:00", kind="asked", ago=timedelta(minutes=1)) == "now"
    assert until("2026-11-02 23:00", kind="opened", ago=timedelta(minutes=16)) == "2026-11-03 08:00"
    assert until("2026-11-02 23:00", kind="quote", ago=timedelta(minutes=1)) == "2026-11-03 08:00"


def test_beyond_so_many_letters_a_day_the_next_waits_for_the_morning() -> None:
    assert until("2026-11-02 12:00", letters=2) == "now"
    assert until("2026-11-02 12:00", letters=3) == "2026-11-03 08:00"
    any_number = Manners(AMSTERDAM, None, most_a_day=0)
    assert until("2026-11-02 12:00", any_number, letters=99) == "now"


@pytest.mark.parametrize(
    ("kind", "planned", "now", "expected"),
    [
        ("repaired", "12:00", "12:00", "12:06"),
        ("repaired", "12:00", "12:06", "now"),
        ("repaired", "17:00", "12:00", "now"),  # the clock has been put back since
        ("repaired", "20:53", "20:53", "20:59"),
        ("repaired", "20:55", "20:55", "now"),  # six minutes later it would have to wait for the morning
        ("question", "12:00", "12:00", "now"),
        ("quote", "12:00", "12:00", "now"),
        ("opened", "12:00", "12:00", "now"),
        ("overdue", "12:00", "12:00", "now"),
    ],
)
def test_progress_waits_a_few_minutes_for_more(kind: str, planned: str, now: str, expected: str) -> None:
    moment, at = local(f"2026-11-02 {now}"), local(f"2026-11-02 {planned}")
    found = waits_for_more(NIGHTS, moment, kind=kind, planned=at, happened=at, urgency=None)
    assert ("now" if found == moment else f"{found.astimezone(AMSTERDAM):%H:%M}") == expected


def test_a_policy_may_have_nothing_wait() -> None:
    rules = Policy.parse('[messages]\nwait_for_more = "at once"').messages.model_dump()
    now = local("2026-11-02 12:00")
    manners = Manners.of(None, rules)
    assert waits_for_more(manners, now, kind="repaired", planned=now, happened=now, urgency=None) == now


@pytest.mark.parametrize("urgency", ["urgent", "routine"])
def test_a_machine_that_answers_our_letters_does_not_get_one_for_each(urgency: str) -> None:
    # The letters are those of their own kind here: others do not count.
    ago = timedelta(0)
    assert until("2026-11-02 12:00", kind="asked", urgency=urgency, letters=2, ago=ago) == "now"
    assert until("2026-11-02 12:00", kind="asked", urgency=urgency, letters=3, ago=ago) == "2026-11-03 08:00"
    # A yes or a no cannot go round in a circle.
    assert until("2026-11-02 12:00", kind="decision", urgency=urgency, letters=3, ago=ago) == "now"


def test_her_own_wishes_go_before_the_policys() -> None:
    late = Contact(quiet="23:00-6:00", time_zone="America/New_York")
    manners = Manners.of(late, RULES)
    assert (manners.zone.key, manners.quiet) == ("America/New_York", (time(23), time(6)))
    assert Manners.of(Contact(quiet="never"), RULES).quiet is None
    assert Manners.of(Contact(), RULES) == NIGHTS
    assert Manners.of(late, RULES, "Pacific/Auckland").zone.key == "America/New_York"
    assert Manners.of(Contact(), RULES, "Pacific/Auckland").zone.key == "Pacific/Auckland"
    # At noon in Amsterdam it is six in the morning in New York.
    now = local("2026-11-02 11:30")
    found = not_before(manners, now, kind="received", happened=now, urgency=None, letters=0)
    assert found.astimezone(manners.zone).isoformat() == "2026-11-02T06:00:00-05:00"


def test_her_day_of_letters_begins_in_the_morning() -> None:
    assert NIGHTS.day_of(local("2026-11-02 12:00")) == local("2026-11-02 08:00")
    assert NIGHTS.day_of(local("2026-11-02 07:00")) == local("2026-11-01 08:00")


# -- in the policy ----------------------------------------------------------------------------------------------------


def test_the_policy_says_when_and_how_many() -> None:
    rules = Policy.parse('[messages]\nquiet = "22:30 - 7:00"\nmost_a_day = 2').messages
    assert (rules.quiet, rules.most_a_day) == ("22:30-7:00", 2)
    assert Policy.parse('[messages]\nquiet = "never"\nmost_a_day = "any"').messages.most_a_day == 0
    # What a file leaves out is as it is built in.
    assert Policy.parse('[messages]\nquiet = "never"').messages.most_a_day == Policy.parse("").messages.most_a_day


def test_a_policy_survives_the_log() -> None:
    policy = Policy.parse('[messages]\nmost_a_day = "any"')
    assert Policy.from_canonical(policy.canonical()) == policy
    kept = policy.canonical()
    del kept["messages"]  # as it was kept before there was such a section
    assert Policy.from_canonical(kept).messages == Policy.parse("").messages


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('quiet = "9pm"', 'write two different times of the clock, such as "21:00-8:00"'),
        ('quiet = "8:00-8:00"', "two different times"),
        ("quiet = 21", "write it as text between quotes"),
        ("most_a_day = 0", "write a number from 1 to 100"),
        ('most_a_day = "4"', "write a number without quotes"),
        ("most_a_day = true", "write a number of messages"),
        ('wait_for_more = "2 hours"', "write at most an hour around the clock"),
        ('wait_for_more = "5 working minutes"', "write at most an hour around the clock"),
        ("after_missed_visit = 1", "write it as text between quotes"),
        ("at_most = 3", "[messages] names the key 'at_most', which there is not"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(PolicyError) as error:
        Policy.parse(f"[messages]\n{text}")
    assert complaint in str(error.value)
    assert "[messages]" in str(error.value)
