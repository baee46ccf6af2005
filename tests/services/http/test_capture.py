"""POST /capture on a real server: events become facts, or are kept as they came, or refused with the field named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.log import last_position
from services import rejected
from services.http.capture import BEHAVIOUR
from services.http.limits import MAX_BATCH
from services.identifiers import identify
from tests.chainserver import ChainServer
from tests.logged import read_order
from tests.services.epcis.events import CONTEXT, IMPORTER_ID, document, epcis, to
from tests.services.http.counter import IMPORTER, Counter, kind, open_counter
from tests.services.submissions import SHOP, event
from tests.waiting import eventually

LD = "application/ld+json"
PROCEED = {BEHAVIOUR: "proceed"}
SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "epcis"


def outcomes(job: dict[str, Any]) -> list[str]:
    return [each["outcome"] for each in job["events"]]


async def test_events_become_facts_of_the_order(counter: Counter) -> None:
    shop, importer = await counter.caller(SHOP), await counter.caller(IMPORTER)
    identify(counter.server.home, IMPORTER, IMPORTER_ID)
    async with counter.running("retailer", "importer"):
        await shop.post("/events", event("e1", subject="R-7"))
        sent = await shop.post("/capture", document(epcis("shipping", eventID="urn:uuid:1", **to(IMPORTER_ID))), LD)
        came = await importer.post("/capture", {"@context": [CONTEXT], **epcis("receiving", eventID="urn:uuid:2")}, LD)
        again = await importer.post("/capture", document(epcis("receiving", eventID="urn:uuid:2")), "application/json")
    assert (sent.status_code, came.status_code, again.status_code) == (202, 202, 202)
    job = sent.json()
    assert sent.headers["location"] == f"/capture/{job['captureID']}"
    assert sent.headers["gs1-epcis-version"] == "2.0.0"
    assert (job["running"], job["success"], job["errors"], outcomes(job)) == (False, True, [], ["captured"])
    assert again.json()["events"][0]["receipts"][0]["outcome"] == "duplicate"
    js = (await counter.server.connect("keeper")).jetstream()
    said = [(each.event.source, each.event.name, each.event.data) for each in await read_order(js, "R-7")]
    assert said[1:] == [(SHOP, "item.handed_over", {"to": IMPORTER}), (IMPORTER, "item.received", {})]


async def test_what_has_no_fact_is_kept_as_it_came_and_listed(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    odd = epcis("commissioning", **{"ext1:colour": "red"})
    async with counter.running("retailer"):
        job = (await shop.post("/capture", document(odd), LD)).json()
    assert (job["success"], outcomes(job)) == (True, ["kept"])
    assert "commissioning" in job["events"][0]["why"]
    js = (await counter.server.connect("keeper")).jetstream()
    (kept,) = [each async for each in rejected.list_rejected(js)]
    submission = rejected.as_json(kept)["submission"]
    assert (kept.party, submission["data"]) == (SHOP, {"@context": [CONTEXT], **odd})
    assert await last_position(js) == 0


async def test_a_fault_refuses_all_or_with_proceed_itself_alone(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    faulty = document(epcis("holding", eventID="urn:uuid:1"), epcis("holding", action="CREATE", eventID="urn:uuid:2"))
    js = (await counter.server.connect("keeper")).jetstream()
    async with counter.running("retailer"):
        await shop.post("/events", event("e1", subject="R-7"))
        for headers in ({}, {BEHAVIOUR: "rollback"}):
            refused = await shop.post("/capture", faulty, LD, headers)
            assert (refused.status_code, kind(refused)) == (400, "invalid")
            assert refused.json()["pointer"] == "/epcisBody/eventList/1/action"
        assert await last_position(js) == 1, "nothing was captured"
        job = (await shop.post("/capture", faulty, LD, PROCEED)).json()
    assert (job["success"], outcomes(job), job["captureErrorBehaviour"]) == (False, ["captured", "refused"], "proceed")
    assert [error["pointer"] for error in job["errors"]] == ["/epcisBody/eventList/1/action"]
    assert await last_position(js) == 2


async def test_a_void_shipping_takes_back_what_the_read_models_know(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    async with counter.running("projector", "retailer"):
        await shop.post("/events", event("e1", subject="R-7"))
        await shop.post("/events", event("h1", "item.handed_over", subject="R-7", data={"to": IMPORTER}))
        job = (await shop.post("/capture", document(epcis("void_shipping")), LD)).json()
        again = (await shop.post("/capture", document(epcis("void_shipping", eventID="urn:uuid:2")), LD)).json()
    assert outcomes(job) == ["captured"]
    assert outcomes(again) == ["kept"], "there is nothing left to take back"
    js = (await counter.server.connect("keeper")).jetstream()
    taken_back = (await read_order(js, "R-7"))[-1].event
    assert (taken_back.name, taken_back.data["fact_id"]) == ("fact.corrected", "h1")


async def test_an_event_about_an_order_to_come_is_held_and_the_job_follows(counter: Counter) -> None:
    shop, importer = await counter.caller(SHOP), await counter.caller(IMPORTER)
    async with counter.running("retailer", "importer"):
        answer = await importer.post("/capture", document(epcis("receiving")), LD)
        assert outcomes(answer.json()) == ["held"]
        await shop.post("/events", event("e1", subject="R-7"))

        async def captured() -> bool:
            return outcomes((await importer.get(answer.headers["location"])).json()) == ["captured"]

        await eventually(captured, "the job has heard of it")
    stranger = await shop.get(answer.headers["location"])
    assert (stranger.status_code, kind(stranger)) == (404, "not-found")


async def test_a_job_that_takes_long_goes_on_running(chain_server: ChainServer) -> None:
    async with open_counter(chain_server, wait=0.1) as counter:
        shop = await counter.caller(SHOP)
        answer = await shop.post("/capture", document(epcis("holding"), epcis("packing", eventID="urn:uuid:2")), LD)
        job = answer.json()
        assert (job["running"], job["finishedAt"], outcomes(job)) == (True, None, ["pending", "pending"])
        async with counter.running("retailer"):

            async def finished() -> dict[str, Any] | None:
                found = (await shop.get(answer.headers["location"])).json()
                return None if found["running"] else found

            job = await eventually(finished, "finished")
        assert outcomes(job) == ["held", "kept"]


async def test_what_the_intake_refuses_is_told_of_the_event(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    async with counter.running("retailer"):
        job = (await shop.post("/capture", document(epcis("holding", eventTime="2027-03-02T10:00:00Z")), LD)).json()
    assert (job["success"], outcomes(job)) == (False, ["refused"])
    (error,) = job["errors"]
    assert error["type"].endswith("time-out-of-range")


NOT_TO_CAPTURE: list[tuple[Any, str, dict[str, str], int, str]] = [
    (b"{", LD, {}, 400, "unreadable"),
    (b"[]", LD, {}, 400, "not-epcis"),
    (document(epcis("holding")) | {"@context": []}, LD, {}, 400, "not-epcis"),
    (document(epcis("holding", action=None)), LD, PROCEED, 400, "invalid"),
    (document(), "application/xml", {}, 415, "unsupported-media-type"),
    (document(), LD, {BEHAVIOUR: "guess"}, 400, "bad-header"),
    (b" " * (4 * 1024 * 1024 + 1), LD, {}, 413, "length"),
]


async def test_what_cannot_be_captured(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    for body, content, headers, status, problem in NOT_TO_CAPTURE:
        answer = await shop.post("/capture", body, content, headers)
        assert (answer.status_code, kind(answer)) == (status, problem), (str(body)[:40], content, headers)


async def test_more_facts_than_a_batch_takes_are_refused_together(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    epcs = [f"urn:epc:id:sgtin:0614141.107346.{number}" for number in range(100)]
    many = [
        epcis("holding", eventID=f"urn:uuid:{number}", epcList=epcs, bizTransactionList=None)
        for number in range(MAX_BATCH // 100 + 1)
    ]
    answer = await shop.post("/capture", document(*many), LD)
    assert (answer.status_code, kind(answer)) == (413, "length")


async def test_an_empty_document_is_a_job_with_nothing_to_do(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    job = (await shop.post("/capture", document(), LD)).json()
    assert (job["running"], job["success"], job["events"]) == (False, True, [])


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the examples of the standard are not beside this repository")
async def test_every_example_of_the_standard_is_captured_or_refused(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    files = sorted(SAMPLES.rglob("*.json"))
    handed_in = 0
    async with counter.running("retailer"):
        for file in files:
            answer = await shop.post("/capture", json.loads(file.read_text()), LD)
            if file.parent.name == "invalid":
                assert answer.status_code == 400, file.name
                assert answer.json()["errors"][0]["pointer"]
                continue
            job = answer.json()
            assert (answer.status_code, job["running"]) == (202, False), file.name
            assert set(outcomes(job)) <= {"captured", "held", "kept"}, file.name
            handed_in += sum(len(each.get("receipts", [None])) for each in job["events"])
    js = (await counter.server.connect("keeper")).jetstream()
    assert handed_in > 15
    # Nobody has opened any of these orders: all that has a fact is held, and all else kept.
    assert await rejected.count_rejected(js) + await last_position(js) == handed_in
