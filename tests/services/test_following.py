"""The follower of the log that intake decides by: what it reads it holds against the log, and lets go what waited."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from events import names
from events.subjects import rejected_subject
from services.intake import held
from services.intake.following import Follower
from services.intake.held import Held
from services.intake.index import Index
from services.intake.problems import Refusal
from services.intake.rejecting import Rejected, to_headers
from tests.services.intakes import IMPORTER, event
from tests.services.submissions import SHOP


class Log(JetStreamContext):
    """A log as a server has it that may go away, and come back with ``other``, while it is asked for a fact."""

    def __init__(self, facts: list[bytes], other: list[bytes]) -> None:
        self.facts = facts
        self._other = other
        self._nc = SimpleNamespace(stats={"reconnects": 0})  # type: ignore[assignment]

    async def stream_info(self, *_: object, **__: object) -> SimpleNamespace:  # type: ignore[override]
        return SimpleNamespace(state=SimpleNamespace(last_seq=len(self.facts)))

    async def get_msg(self, stream: str, seq: int | None = None, *_: object, **__: object) -> RawStreamMsg:  # type: ignore[override]
        assert seq is not None
        if self._other:
            self.facts, self._other = self._other, []
            self._nc.stats["reconnects"] += 1
        return RawStreamMsg(data=self.facts[seq - 1])


async def test_what_is_read_while_the_server_is_away_is_held_against_its_log_first(tmp_path: Path) -> None:
    ours = [event(f"e{number}", subject=f"W-{number}") for number in range(4)]
    theirs = [event(f"x{number}", subject=f"X-{number}") for number in range(5)]
    index, log = Index(tmp_path / "index"), Log(ours[:2], [])
    follower = Follower(log, index, Held("retailer"), asyncio.Lock())
    await follower._read_what_others_said()
    assert index.position == 2

    log.facts, log._other = ours, theirs
    with pytest.raises(ConnectionError):
        await follower._read_what_others_said()
    assert (index.position, index.opened_by("X-2")) == (2, None), "nothing of the other log is put beside what is ours"

    await follower._read_what_others_said()
    assert index.position == 5
    assert [index.opened_by(order) for order in ("W-0", "X-0", "X-4")] == [None, SHOP, SHOP]
    index.close()


async def test_what_is_no_submission_keeps_nothing_from_being_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = event("r1", "item.received", source=IMPORTER)
    problem = Refusal("unknown-order", "made up").problem("r1")
    subject = rejected_subject(IMPORTER, "W-1", held=True)
    kept = [
        RawStreamMsg(subject, seq=1, data=b"put there by hand", headers=None),
        RawStreamMsg(subject, seq=2, data=early, headers=to_headers(problem.told(), None, 1)),
    ]

    class Rejections:
        async def get_msg(self, stream: str, seq: int, **_: object) -> RawStreamMsg:
            assert stream == names.REJECTED
            if seq > len(kept):
                raise NotFoundError
            return kept[seq - 1]

    handed_in: list[int] = []

    async def resubmit(js: object, rejected: Rejected, *, to_box: bool) -> int:
        handed_in.append(rejected.number)
        return 1

    monkeypatch.setattr(held, "resubmit", resubmit)
    index, waiting = Index(tmp_path / "index"), Held("importer")
    index.follow([(1, event("e1"))])
    waiting.note(subject, problem)
    await waiting.release(Rejections(), index, "W-1")  # type: ignore[arg-type]
    assert handed_in == [2]
    assert waiting.waited_for == frozenset()
    index.close()
