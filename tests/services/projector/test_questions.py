"""The projector on a real server answers, waits for what is asked for, and says what it cannot do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from projections.queries import QUERIES
from services import story
from services.answering import ENCODING, NoAnswerError, QuestionError, query_subject, unpack
from tests.services.projector.projected import Chain, small_orders, told
from tests.waiting import eventually


@pytest.mark.usefixtures("lent")
async def test_it_answers_every_question(chain: Chain, tmp_path: Path) -> None:
    async with chain.projector():
        end = await chain.append(told())
        args: dict[str, dict[str, Any]] = {
            name: {"order": story.SERIAL} for name in ("find", "status", "timeline", "messages")
        }
        args["closures"] = args["briefing"] = args["changed"] = {"party": story.SHOP}
        args["parcels"] = {"numbers": ["3S1"]}
        args["customer"] = {"opener": story.SHOP, "customer": "C-17"}
        args["customers"] = {"openers": [story.SHOP], "customers": ["C-17"]}
        args["message"] = {"message": "msg-0"}
        args["histories"] = {"orders": [story.ORDER], "letters_since": "2026-01-01T00:00:00Z"}
        answers = {name: await chain.ask(name, args.get(name)) for name in QUERIES}
        position = await chain.ask("position")
        rebuilt = await chain.ask("rebuild")
        copied = await chain.ask("snapshot", {"file": str(tmp_path / "copy.duckdb")})
    assert answers["find"] == {"orders": [story.ORDER]}
    assert (answers["status"]["status"], answers["status"]["holder"]) == ("closed", "customer")
    assert len(answers["timeline"]["entries"]) == end - 1  # one fact is about the shop, not about the order
    assert answers["orders"]["total"] == 1
    assert answers["handoffs"]["totals"]["received"] == 3
    # The story lies long past: nobody has asked her whether it holds.
    assert [row["kind"] for row in answers["stalled"]["stalled"]] == ["check"]
    assert answers["messages"] == {"messages": []}
    assert set(answers["histories"]["histories"]) == {story.ORDER}
    assert answers["audit"]["balanced"]
    assert [row["order_id"] for row in answers["customer"]["orders"]] == [story.ORDER]
    assert answers["customers"]["orders"] == [answers["customer"]["orders"]]
    assert answers["message"] == {"orders": []}
    assert [row["order_id"] for row in answers["changed"]["orders"]] == [story.ORDER]
    assert answers["parcels"] == {"handovers": [], "tracked": []}
    assert (answers["stats"]["facts"], answers["stats"]["orders"]) == (end, 1)
    shop = next(row for row in answers["parties"]["parties"] if row["party"] == story.SHOP)
    assert len(shop["closures"]) == 1
    assert answers["closures"]["closures"] == shop["closures"]
    assert position == {"position": end, "mirrored": end}
    assert rebuilt == {"position": end}
    assert copied == {"file": str(tmp_path / "copy.duckdb"), "position": end}


@pytest.mark.usefixtures("lent")
async def test_an_answer_waits_for_the_position_that_was_asked_for(chain: Chain) -> None:
    async with chain.projector():
        facts = told()
        end = await chain.append(facts[:3])
        early = asyncio.create_task(chain.ask("stats", at_least=end + 2))
        assert (await chain.ask("stats", at_least=end))["facts"] == end
        assert not early.done()
        await chain.append(facts[3:5])
        assert (await early)["facts"] == end + 2


@pytest.mark.usefixtures("lent")
async def test_who_asks_for_what_is_not_there_yet_is_told_so(chain: Chain) -> None:
    async with chain.projector(patience=0.05) as projector:
        end = await chain.append(told())
        await eventually(lambda: projector.upkeep.position == end)
        with pytest.raises(QuestionError, match=f"the read models are at {end}, not yet at {end + 1}: ask again"):
            await chain.ask("stats", at_least=end + 1)


BAD_QUESTIONS = [
    ("stats", b"what?", "JSON"),
    ("stats", b"\xff", "UTF-8"),
    ("stats", b"[1]", "a question is a JSON object"),
    ("stats", b'{"at_least":"all"}', "'at_least' must be a position"),
    ("stats", b'{"at_least":true}', "'at_least' must be a position"),
    ("stats", b'{"args":[1]}', "'args' must be a JSON object"),
    ("stats", b'{"args":{"order":"W"}}', "'stats' knows no argument 'order'"),
    ("status", b"", "'order' is missing"),
    ("status", b'{"args":{"order":"none"}}', "no order, reference or serial number 'none' is known"),
    ("status", b'{"args":{"order":"W"},"as_of":"soon"}', "'as_of' must be a moment"),
    ("status", b'{"args":{"order":"W"},"as_of":5}', "'as_of' must be a moment"),
    ("stats", b'{"as_of":"2026-01-01T00:00:00Z"}', "cannot be asked about another moment"),
    ("snapshot", b"", "needs the absolute path"),
    ("snapshot", b'{"args":{"file":"copy.duckdb"}}', "needs the absolute path"),
    ("snapshot", b'{"args":{"file":"/proc/nowhere/copy.duckdb"}}', "/proc/nowhere"),
]


@pytest.mark.usefixtures("lent")
async def test_a_bad_question_gets_one_clear_sentence(chain: Chain) -> None:
    async with chain.projector():
        for name, body, detail in BAD_QUESTIONS:
            answer = await chain.raw(name, body)
            assert set(answer) == {"error"}
            assert answer["error"]["title"] != "Fault", answer
            assert detail in answer["error"]["detail"]
        assert (await chain.ask("stats"))["facts"] == 0


async def test_nobody_answers_when_it_does_not_run(chain: Chain) -> None:
    with pytest.raises(NoAnswerError, match="the projector does not run"):
        await chain.ask("stats")


@pytest.mark.usefixtures("lent")
async def test_long_answers_come_gzipped(chain: Chain) -> None:
    async with chain.projector():
        await chain.append(small_orders(100, text="it does not start any more " * 4))
        question = orjson.dumps({"args": {"limit": 1_000}, "at_least": 200})
        reply = await chain.client.request(query_subject("orders"), question, timeout=5)
        assert reply.headers == {ENCODING: "gzip"}
        assert len(unpack(reply)["result"]["orders"]) == 100
        short = await chain.client.request(query_subject("stats"), b"", timeout=5)
        assert not short.headers
