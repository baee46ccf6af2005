"""From a fact to a letter: each step once, whatever breaks in between."""

from __future__ import annotations

import itertools

import pytest

from services.contact import Channel, Contact
from services.notifying.outcomes import Failed, Unknown
from services.notifying.sending import ForgottenCustomerError, UnreadableContactError
from services.notifying.waiting import AgainLaterError
from tests.about import about
from tests.services.notifying.chain import DAY, HOUR, MONDAY, OPENED, QUOTE, SHOP, closed, opened
from tests.services.notifying.desk import CONTACT, Desk

#: More steps than it takes from the fact to the outcome, and whether the crash comes after the step.
STEPS = range(1, 30)
CRASHES = tuple(itertools.product(STEPS, (False, True)))


async def test_she_is_told_and_the_log_says_so() -> None:
    desk = Desk(OPENED)
    await desk.work()
    (letter,) = desk.box.sent
    assert letter.to_address == "anna@example.com"
    assert letter.from_name == "Juno Horloges"
    assert letter.reply_to == "service@juno.example"
    assert letter.subject == "Uw Halden Meridian: zo gaat het verder"
    assert letter.text.startswith("Beste Anna de Wit,\n\nDank u wel")
    assert letter.text.endswith("Met vriendelijke groet,\nJuno Horloges\n")
    (planned,), (sent,) = desk.named("message.planned"), desk.named("message.sent")
    assert sent.data["body"] == planned.data["body"]
    assert sent.data["language"] == "nl"
    assert sent.data["next_news_by"] == "2026-11-09T16:00:00Z"
    assert (planned.causationid, sent.causationid) == (OPENED.id, planned.id)


@pytest.mark.parametrize(("zone", "hour"), [("Europe/Amsterdam", "17.00"), ("America/New_York", "11.00")])
async def test_she_reads_times_in_the_zone_of_the_shop_unless_she_names_another(zone: str, hour: str) -> None:
    desk = Desk(OPENED)
    answer = desk.answer
    desk.answer = lambda name: answer(name) | {"time_zone": zone}  # type: ignore[method-assign]
    await desk.work()
    assert f"maandag 9 november om {hour}" in desk.box.sent[0].text


async def test_a_record_that_cannot_be_read_is_for_a_person_and_comes_up_no_more() -> None:
    desk = Desk(OPENED)

    async def unreadable(key: str) -> Contact | None:
        raise UnreadableContactError

    desk.find = unreadable  # type: ignore[method-assign]
    await desk.work()
    assert desk.box.sent == []
    assert desk.outcomes == ["her record in the book cannot be read"]
    assert [party for party, _ in desk.notices] == [SHOP]


async def test_neither_name_nor_address_is_in_the_log() -> None:
    desk = Desk(OPENED)
    await desk.work()
    log = b"".join(event.to_json() for event in desk.events).decode()
    assert "Anna" not in log
    assert "anna@" not in log


async def test_a_crash_at_any_step_neither_forgets_nor_repeats() -> None:
    for step, after in CRASHES:
        with about(step, after):
            desk = Desk(OPENED, forgiving=True)
            desk.fuse.step, desk.fuse.after = step, after
            await desk.work()
            assert [letter.message for letter in desk.box.sent] == [desk.named("message.planned")[0].data["message"]]
            assert len(desk.named("message.planned")) == 1
            assert desk.outcomes == ["sent"]


async def test_where_a_repeat_would_reach_her_twice_a_crash_while_the_channel_is_called_is_for_a_person() -> None:
    ambiguous = []
    for step, after in CRASHES:
        with about(step, after):
            desk = Desk(OPENED, forgiving=False)
            desk.fuse.step, desk.fuse.after = step, after
            await desk.work()
            assert desk.box.attempts <= 1
            if desk.outcomes == ["sent"]:
                assert len(desk.box.sent) == 1
                continue
            ambiguous.append((step, after, desk.box.attempts))
            assert desk.outcomes == ["stopped_in_the_middle"]
            assert [event.name for event in desk.events][-1] == "message.unknown"
            # A notice may go under with whoever was about to give it: the log has the word, and what is owed for it.
            assert [party for party, _ in desk.notices] in ([SHOP], [])
    # Only right after the claim was taken, before and after the call, and before the outcome was in the log.
    assert len(ambiguous) == 4
    assert sorted(attempts for _, _, attempts in ambiguous) == [0, 0, 1, 1]


async def test_the_steps_above_cover_all_there_are() -> None:
    desk = Desk(OPENED)
    await desk.work()
    assert 10 < desk.fuse.steps < max(STEPS)


async def test_what_was_handled_already_is_passed_over() -> None:
    desk = Desk(OPENED)
    await desk.work()
    desk.handled = 0
    await desk.work()
    assert len(desk.box.sent) == 1
    assert desk.outcomes == ["sent"]


# -- channels that fail -----------------------------------------------------------------------------------------------


async def test_a_channel_that_is_down_is_tried_again_with_growing_pauses() -> None:
    desk = Desk(OPENED)
    desk.box.answers = [Failed("ConnectionRefusedError"), Failed("smtp_451")]
    await desk.work()
    assert desk.delays == [5.0, 30.0]
    assert desk.outcomes == ["sent"]


async def test_in_the_end_a_person_has_to_tell_her() -> None:
    desk = Desk(OPENED)
    desk.box.answers = [Failed("ConnectionRefusedError")] * 3
    await desk.work()
    assert desk.box.attempts == 3
    assert desk.outcomes == ["ConnectionRefusedError"]
    ((party, notice),) = desk.notices
    assert party == SHOP
    assert (notice.notice, notice.kind, notice.reason) == ("message.failed", "opened", "ConnectionRefusedError")


async def test_attempts_are_counted_over_crashes() -> None:
    for step, after in CRASHES:
        with about(step, after):
            desk = Desk(OPENED, forgiving=True)
            desk.box.answers = [Failed("ConnectionRefusedError")] * 10
            desk.fuse.step, desk.fuse.after = step, after
            await desk.work()
            assert desk.outcomes == ["ConnectionRefusedError"]
            assert desk.box.attempts in (3, 4)  # one more where the count of one attempt was lost


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Failed("smtp_550", again=False), "smtp_550"),
        (Failed("bad_address", again=False), "bad_address"),
        (Unknown("SMTPServerDisconnected"), "SMTPServerDisconnected"),
    ],
)
async def test_what_no_further_attempt_can_mend_is_given_up_at_once(answer: Failed | Unknown, reason: str) -> None:
    desk = Desk(OPENED)
    desk.box.answers = [answer]
    await desk.work()
    assert desk.outcomes == [reason]
    assert desk.box.attempts == 1


# -- not to be sent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", [None, Contact(name="Anna")])
async def test_without_a_way_to_reach_her_the_log_says_so(contact: Contact | None) -> None:
    desk = Desk(OPENED, contact=contact)
    await desk.work()
    assert desk.outcomes == ["no_contact"]
    assert desk.named("message.planned")[0].data["language"] == "en"


@pytest.mark.parametrize("contact", [None, Contact(name="Anna"), Contact(channels=(Channel(kind="fax", address="1"),))])
async def test_what_is_asked_of_her_whom_no_letter_reaches_is_for_a_person_to_ask(contact: Contact | None) -> None:
    """The order waited for her yes, and nobody had told her the price."""
    desk = Desk(OPENED, QUOTE, contact=contact)
    desk.handled = 1
    await desk.work()
    (failed,) = desk.named("message.failed")
    assert (failed.data["kind"], failed.data["reason"]) == (
        "quote",
        "no_channel" if contact and contact.channels else "no_contact",
    )
    assert [notice.kind for _, notice in desk.notices] == ["quote"]


async def waits(desk: Desk) -> None:
    """What was planned cannot leave for now."""
    desk.box.answers = [Failed("smtp_451")]
    with pytest.raises(AgainLaterError):
        await desk.teller().handle(OPENED)


async def test_who_asks_to_be_forgotten_between_plan_and_letter_is() -> None:
    desk = Desk(OPENED)
    await waits(desk)
    desk.contact = None
    await desk.work()
    assert desk.outcomes == ["no_contact"]
    assert desk.box.sent == []


async def test_for_who_was_forgotten_nothing_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(OPENED)

    async def forgotten(key: str) -> Contact | None:
        raise ForgottenCustomerError

    monkeypatch.setattr(desk, "find", forgotten)
    await desk.work()
    assert desk.box.sent == []
    assert desk.events == [OPENED]


async def test_a_message_that_events_overtook_while_it_waited_is_suppressed() -> None:
    desk = Desk(OPENED)
    await waits(desk)
    desk.events.append(closed(MONDAY + HOUR))
    await desk.work()
    assert desk.outcomes == ["closed", "sent"]
    assert [event.data["kind"] for event in desk.named("message.sent")] == ["closed"]
    assert desk.box.attempts == 2


async def test_an_old_log_costs_no_question() -> None:
    desk = Desk(OPENED)
    desk.clock.set(MONDAY + 8 * DAY)
    await desk.work()
    assert desk.fuse.steps == 0
    assert desk.events == [OPENED]


async def test_an_unwise_card_does_not_stop_the_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    from services.parties import PartyCard
    from tests.services.notifying import desk as desks

    monkeypatch.setattr(desks, "CARDS", {SHOP: PartyCard(display_name="Juno\r\nBcc: x", email="not an address")})
    desk = Desk(opened(), contact=CONTACT)
    await desk.work()
    assert desk.box.sent[0].reply_to is None
    assert desk.outcomes == ["sent"]
