"""What must be true after any number of kills: nothing lost or doubled, everybody told, and all read models right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import orjson

from events.log import last_position
from events.tail import read_until
from services import rejected
from services.answering import ask
from services.intake.rejecting import Rejected
from services.verifying import verify
from tests.reliability.campaign import Outcome, letters

Fact = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """The log as the server has it, and what the read models say of it."""

    outcome: Outcome
    facts: list[tuple[int, Fact]]
    rejections: list[Rejected]
    statuses: dict[str, dict[str, Any]]

    def named(self, name: str) -> list[Fact]:
        """The facts of that name, in the order of the log."""
        return [fact for _, fact in self.facts if fact["type"] == f"repairchain.{name}.v1"]


async def gather(outcome: Outcome) -> Evidence:
    """Read everything."""
    client = await outcome.chain.connect("keeper")
    js = client.jetstream()
    facts = [
        (position, orjson.loads(payload))
        async for batch in read_until(js, await last_position(js))
        for position, payload in batch
    ]
    kept = [entry async for entry in rejected.list_rejected(js, limit=1_000_000)]
    rows = (await ask(client, "orders", {"limit": 100_000}))["orders"]
    return Evidence(outcome, facts, kept, {row["order_id"]: row for row in rows})


async def judge(outcome: Outcome) -> Evidence:
    """Raises AssertionError for whatever is not as it must be."""
    evidence = await gather(outcome)
    judge_log(evidence)
    judge_receipts(evidence)
    judge_rejections(evidence)
    judge_orders(evidence)
    judge_messages(evidence)
    settings = outcome.chain.settings.model_copy(update={"nats_url": outcome.chain.server.url})
    verdict = await verify(settings)
    assert verdict.position == len(evidence.facts)
    assert verdict.differences == []
    return evidence


def judge_log(evidence: Evidence) -> None:
    """No gaps; every fact once; every acknowledged good submission in it, and no bad one."""
    positions = [position for position, _ in evidence.facts]
    assert positions == list(range(1, len(positions) + 1))
    said = Counter((fact["source"], fact["id"]) for _, fact in evidence.facts)
    assert [key for key, times in said.items() if times > 1] == []
    partners = {key for key in said if not key[0].startswith("chain:")}
    good = {
        (entry.submission.party, entry.submission.id or "")
        for _, entry in evidence.outcome.handed_in
        if entry.submission.good
    }
    assert partners - good == set()
    assert good - partners == set()


def judge_receipts(evidence: Evidence) -> None:
    """Each submission ended in one class of receipt; what came too early was taken in later."""
    for partner, entry in evidence.outcome.handed_in:
        receipts, submission = partner.receipts(entry), entry.submission
        assert entry.refused == submission.refused, submission
        if submission.refused:
            assert receipts == [], submission
            continue
        outcomes = Counter(receipt["outcome"] for receipt in receipts)
        kinds = {receipt["problem"]["type"].rpartition(":")[2] for receipt in receipts if "problem" in receipt}
        if submission.good:
            assert outcomes["accepted"] <= 1, receipts
            assert outcomes["accepted"] + outcomes["duplicate"] >= 1, receipts
            assert kinds <= {"unknown-order"}, receipts
        else:
            assert set(outcomes) == {"held" if submission.problem == "unknown-order" else "rejected"}, receipts
            assert kinds == {submission.problem}, receipts


def judge_rejections(evidence: Evidence) -> None:
    """Every bad submission is kept with its reason; nothing good is left there."""
    kept = {(entry.party, entry.payload) for entry in evidence.rejections}
    bad = {
        (entry.submission.party, entry.submission.body)
        for _, entry in evidence.outcome.handed_in
        if not entry.submission.good and not entry.refused
    }
    assert kept == bad


def judge_orders(evidence: Evidence) -> None:
    """Each order stands where its facts, in the order in which they happened, have brought it."""
    expected = {"ready": "ready", "closed": "closed"}
    for order in evidence.outcome.plan.orders:
        status = evidence.statuses[order.id]
        assert status["status"] == expected.get(order.kind, "in_transit"), status
        if order.kind != "closed":
            assert status["holder"] == order.shop, status


def judge_messages(evidence: Evidence) -> None:
    """No message twice, none without its fact, and every customer has heard what she had to hear."""
    planned = [fact["data"]["message"] for fact in evidence.named("message.planned")]
    sent = evidence.named("message.sent")
    assert len(planned) == len(set(planned))
    settled = Counter(
        fact["data"]["message"]
        for name in ("message.sent", "message.failed", "message.unknown", "message.suppressed")
        for fact in evidence.named(name)
    )
    assert settled == Counter(planned)
    assert evidence.named("message.failed") == evidence.named("message.unknown") == []
    files = letters(evidence.outcome.chain.settings.outbox_folder)
    assert sorted(file.stem for file in files) == sorted(
        fact["data"]["message"]
        for fact in sent
        if "letter" not in fact["data"]  # else it went in another's
    )
    mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    assert len({(str(mail["To"]), _text(mail)) for mail in mails}) == len(mails)

    told = Counter((fact["subject"], fact["data"]["kind"]) for fact in sent)
    overdue = Counter((fact["subject"], fact["data"]["kind"]) for fact in evidence.named("commitment.overdue"))
    for order in evidence.outcome.plan.orders:
        if order.kind in ("young", "late"):
            assert told[order.id, "opened"] == 1, order
        if order.kind == "ready":
            assert told[order.id, "ready"] == 1, order
        if order.address is None:
            assert not any(subject == order.id for subject, _ in told), order
        assert overdue[order.id, "receive"] == (1 if order.kind == "late" else 0), order
        assert overdue[order.id, "update"] == 0, order


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
