"""Handing in over a real server, with an intake that answers as the test wants it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nats.aio.client import Client

from events.streams import declare_streams, intake_config
from services.publishing import PublishError, PublishReport, Receipt, publish_submissions
from tests.chainserver import ChainServer
from tests.services.publishing.fake import FakeIntake, accept, submission

SHOP, IMPORTER = "retailer:acme", "importer:watches & co"

UNKNOWN = {"outcome": "held", "problem": {"type": "urn:repairchain:problem:unknown-order", "detail": "no such"}}


@pytest.fixture
async def services(chain_server: ChainServer) -> Client:
    client = await chain_server.connect("keeper")
    await declare_streams(client.jetstream())
    return client


@pytest.fixture
async def operator(chain_server: ChainServer) -> Client:
    return await chain_server.connect("operator", max_reconnect_attempts=-1, reconnect_time_wait=0.05)


async def test_every_submission_has_its_receipt(services: Client, operator: Client) -> None:
    def answer(event: dict[str, Any], party: str, sequence: int) -> dict[str, Any]:
        if event["id"] == "3":
            return {
                "outcome": "rejected",
                "problem": {"type": "t", "title": "No", "detail": "Not so", "pointer": "/id"},
            }
        return {**accept(event, party, sequence), "outcome": "duplicate" if event["id"] == "2" else "accepted"}

    intake = await FakeIntake(services, "importer", answer).start()
    sent = [submission(str(number), IMPORTER) for number in range(1, 6)]
    receipts: list[Receipt] = []
    progress: list[int] = []
    report = await publish_submissions(
        operator, sent, on_receipt=receipts.append, on_progress=lambda report: progress.append(report.answered)
    )
    assert [event for _, event in intake.heard] == [each.event for each in sent]
    assert {party for party, _ in intake.heard} == {IMPORTER}
    assert intake.headers == [{"Content-Type": "application/cloudevents+json"}] * 5
    assert (report.submitted, report.accepted, report.duplicate, report.rejected) == (5, 3, 1, 1)
    assert (report.unanswered, report.repeated, report.position) == (0, 0, 5)
    assert [each.outcome for each in receipts] == ["accepted", "duplicate", "rejected", "accepted", "accepted"]
    assert (receipts[0].order, receipts[0].position) == ("W-1", 1)
    assert progress == sorted(progress)
    assert progress[-1] == 5
    (rejection,) = report.rejections
    assert rejection.submission == sent[2]
    assert (rejection.receipt.reason, rejection.receipt.problem) == (
        "Not so",
        {"type": "t", "title": "No", "detail": "Not so", "pointer": "/id"},
    )


async def test_nothing_to_hand_in(operator: Client) -> None:
    assert await publish_submissions(operator, []) == PublishReport()


async def test_a_partner_hands_in_for_itself_and_for_nobody_else(chain_server: ChainServer, services: Client) -> None:
    shop = await chain_server.connect(SHOP)
    await FakeIntake(services, "retailer", box_of=SHOP).start()
    report = await publish_submissions(shop, [submission("1", SHOP)])
    assert report.accepted == 1
    with pytest.raises(PublishError, match=r"may not speak for every party .*permissions violation"):
        await publish_submissions(shop, [submission("1", "retailer:rival")])
    assert (await publish_submissions(shop, [submission("2", SHOP)])).accepted == 1  # an old refusal does not count


async def test_another_role_waits_for_the_receipts_of_the_one_before(services: Client, operator: Client) -> None:
    diary: list[str] = []
    for role in ("retailer", "importer"):
        await FakeIntake(services, role, diary=diary).start()
    sent = [submission("1"), submission("2"), submission("3", IMPORTER), submission("4", IMPORTER), submission("5")]
    report = await publish_submissions(operator, sent)
    assert report.accepted == 5
    assert diary.index("heard 3") > diary.index("told 2")
    assert diary.index("heard 5") > diary.index("told 4")
    assert [line for line in diary if line.startswith("heard")] == [f"heard {number}" for number in range(1, 6)]


async def test_independent_orders_do_not_wait_for_each_other(services: Client, operator: Client) -> None:
    diary: list[str] = []

    async def tell_last(report: PublishReport) -> None:
        await retailer.tell(SHOP, {"id": "A1", "source": SHOP, "outcome": "accepted"})

    told: list[asyncio.Task[None]] = []

    def watch(report: PublishReport) -> None:
        if report.answered == 2 and not told:
            told.append(asyncio.create_task(tell_last(report)))

    def answer(event: dict[str, Any], party: str, sequence: int) -> dict[str, Any] | None:
        return None if event["id"] == "A1" else accept(event, party, sequence)

    retailer = await FakeIntake(services, "retailer", answer, diary).start()
    await FakeIntake(services, "importer", answer, diary).start()
    sent = [
        submission("A1", order="A"),
        submission("A2", IMPORTER, order="A"),
        submission("B1", order="B"),
        submission("B2", IMPORTER, order="B"),
    ]
    report = await publish_submissions(operator, sent, independent_orders=True, on_progress=watch)
    assert (report.accepted, report.repeated) == (4, 0)
    assert diary.index("heard B2") < diary.index("told A1") < diary.index("heard A2")


async def test_a_lost_receipt_is_asked_for_again(services: Client, operator: Client) -> None:
    seen: set[str] = set()

    def answer(event: dict[str, Any], party: str, sequence: int) -> dict[str, Any] | None:
        first = event["id"] not in seen
        seen.add(event["id"])
        return None if first and event["id"] in "24" else accept(event, party, sequence)

    intake = await FakeIntake(services, "retailer", answer).start()
    report = await publish_submissions(operator, [submission(id) for id in "12345"], repeat_after=1.0)
    assert (report.accepted, report.unanswered, report.repeated) == (5, 0, 2)
    assert [event["id"] for _, event in intake.heard] == [*"12345", "2", "4"]


async def test_who_never_gets_an_answer_does_not_wait_for_ever(services: Client, operator: Client) -> None:
    await FakeIntake(services, "retailer", lambda event, party, sequence: None).start()
    sent = (submission(str(number)) for number in range(100))
    report = await publish_submissions(operator, sent, timeout=0.5, repeat_after=0.2, window=10)
    assert (report.submitted, report.answered, report.unanswered) == (10, 0, 10)


async def test_no_more_than_the_window_is_on_its_way(services: Client, operator: Client) -> None:
    intake = await FakeIntake(services, "retailer").start()
    ahead: list[int] = []

    def each() -> Any:
        for number in range(300):
            ahead.append(number + 1 - len(told))
            yield submission(str(number))

    told: list[Receipt] = []
    report = await publish_submissions(operator, each(), window=20, on_receipt=told.append)
    assert (report.accepted, len(intake.heard)) == (300, 300)
    assert max(ahead) <= 20 + 1


async def test_it_waits_until_there_is_an_intake_stream(chain_server: ChainServer, operator: Client) -> None:
    services = await chain_server.connect("keeper")
    running = asyncio.create_task(publish_submissions(operator, [submission(id) for id in "123"]))
    async with asyncio.timeout(5):
        while operator.stats["in_msgs"] < 3:  # the server has said to each that nobody is there
            await operator.flush()
    await declare_streams(services.jetstream())
    intake = await FakeIntake(services, "retailer").start()
    report = await running
    assert (report.accepted, report.trouble) == (3, "no intake stream answers")
    assert [event["id"] for _, event in intake.heard] == [*"123"]


async def test_a_full_letter_box_is_waited_for(services: Client, operator: Client) -> None:
    config = intake_config("retailer")
    config.max_msgs_per_subject = 5
    await services.jetstream().update_stream(config)
    running = asyncio.create_task(publish_submissions(operator, [submission(str(number)) for number in range(20)]))
    js = services.jetstream()
    async with asyncio.timeout(10):
        while (await js.stream_info("INTAKE_RETAILER")).state.messages < 5:
            pass
    intake = await FakeIntake(services, "retailer", sweeps=True).start()
    report = await running
    assert (report.accepted, report.unanswered) == (20, 0)
    assert {event["id"] for _, event in intake.heard} == {str(number) for number in range(20)}
    assert report.trouble is not None
    assert "maximum" in report.trouble


async def test_what_is_held_for_an_order_that_comes_later_is_accepted_in_the_end(
    services: Client, operator: Client
) -> None:
    opened = False

    def answer(event: dict[str, Any], party: str, sequence: int) -> dict[str, Any]:
        nonlocal opened
        if "opened" in event["type"]:
            opened = True
        return accept(event, party, sequence) if opened or event["subject"] == "W-9" else UNKNOWN

    intake = await FakeIntake(services, "retailer", answer).start()
    told: list[str] = []

    def heard(receipt: Receipt) -> None:
        told.append(f"{receipt.id} {receipt.outcome}")
        if receipt.id == "2":  # the real intake takes in what it held, and says so
            released = {"id": "1", "source": SHOP, "outcome": "accepted", "order": "W-1", "position": 7}
            tasks.append(asyncio.create_task(intake.tell(SHOP, released)))

    tasks: list[asyncio.Task[None]] = []
    sent = [submission("1"), submission("2", type="repairchain.order.opened.v1")]
    report = await publish_submissions(operator, sent, on_receipt=heard)
    assert (report.accepted, report.held, report.rejected, report.rejections) == (2, 0, 0, [])
    assert told == ["1 held", "2 accepted", "1 accepted"]

    opened = False
    report = await publish_submissions(operator, [submission("3", order="W-404")])
    assert (report.accepted, report.held, report.rejected) == (0, 1, 0)  # nothing to hope for


async def test_a_submission_without_an_id_is_known_by_its_place(services: Client, operator: Client) -> None:
    def answer(event: dict[str, Any], party: str, sequence: int) -> dict[str, Any]:
        return {"id": None, "outcome": "rejected", "problem": {"type": "t", "title": "It has no id"}}

    await FakeIntake(services, "retailer", answer).start()
    report = await publish_submissions(operator, [submission(None), submission(None, order="W-2")], timeout=5)
    assert (report.rejected, report.unanswered) == (2, 0)
    assert {each.submission.subject for each in report.rejections} == {"W-1", "W-2"}
    assert report.rejections[0].receipt.reason == "It has no id"


async def test_the_same_id_twice_in_a_run_is_answered_twice(services: Client, operator: Client) -> None:
    await FakeIntake(services, "retailer").start()
    report = await publish_submissions(operator, [submission("1"), submission("1")])
    assert (report.submitted, report.accepted, report.unanswered) == (2, 2, 0)


async def test_what_cannot_even_be_sent_stops_nothing(services: Client, operator: Client) -> None:
    await FakeIntake(services, "retailer").start()
    sent = [submission("1", data={"x": "\ud800"}), submission("2", data={"x": "y" * 2_000_000}), submission("3")]
    report = await publish_submissions(operator, sent)
    assert (report.accepted, report.rejected, report.unanswered) == (1, 2, 0)
    assert [each.receipt.id for each in report.rejections] == ["1", "2"]
    assert "more than the server takes" in report.rejections[1].receipt.reason


async def test_a_closed_connection_is_told(services: Client, operator: Client) -> None:
    await operator.close()
    with pytest.raises(PublishError, match="the connection to the chain was closed"):
        await publish_submissions(operator, [submission("1")])


async def test_a_server_that_restarts_in_the_middle_loses_nothing(chain_server: ChainServer, services: Client) -> None:
    operator = await chain_server.connect("operator", max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    positions: dict[str, int] = {}

    def answer(event: dict[str, Any], party: str, sequence: int) -> dict[str, Any]:
        known = event["id"] in positions
        position = positions.setdefault(event["id"], sequence)
        return {"outcome": "duplicate" if known else "accepted", "position": position}

    again = await chain_server.connect("keeper", max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    await FakeIntake(again, "retailer", answer).start()
    restarted: list[asyncio.Task[None]] = []

    async def restart() -> None:
        await chain_server.embedded.stop()
        await chain_server.embedded.start()

    def watch(report: PublishReport) -> None:
        if report.answered > 200 and not restarted:
            restarted.append(asyncio.create_task(restart()))

    sent = [submission(str(number)) for number in range(2_000)]
    report = await publish_submissions(operator, sent, on_progress=watch, window=500, repeat_after=1.0)
    await restarted[0]
    assert (report.accepted + report.duplicate, report.rejected, report.unanswered) == (2_000, 0, 0)
    assert positions.keys() == {str(number) for number in range(2_000)}
