"""A batch that was decided on leaves nothing behind that only the garbage collector could take away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from nats.aio.msg import Msg

from events.clock import SimulatedClock
from events.subjects import box_subject
from services.intake.index import Index
from services.intake.judging import judge
from services.intake.limbo import Limbo
from services.intake.problems import Refusal
from services.intake.reading_ahead import read

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOP = "retailer:acme"
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": SHOP,
    "type": "repairchain.order.opened.v1",
    "subject": "W-1",
    "time": "2026-03-02T09:00:00Z",
    "data": {"product": {"brand": "Example"}},
}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "unreadable"),
        (orjson.dumps(EVENT | {"time": "soon"}), "invalid"),
        (orjson.dumps(EVENT | {"data": {"product": 5}}), "invalid"),
        (orjson.dumps(EVENT | {"source": "retailer:rival"}), "not-your-name"),
    ],
)
def test_a_refusal_keeps_nothing_of_where_it_was_raised(body: bytes, kind: str, tmp_path: Path) -> None:
    """Its traceback would hold the frame that holds the batch that holds the refusal."""
    message = Msg(_client=cast("Any", None), subject=box_subject(SHOP), data=body, reply="$JS.ACK.BOX.x.1.1.1.17.0")
    submission = read(message)
    index = Index(tmp_path / "index.sqlite")
    decided = judge([(message, submission)], index, Limbo("retailer", SimulatedClock(NOW)), NOW)
    index.close()
    assert [rejection.problem.type.rpartition(":")[2] for rejection in decided.rejected] == [kind]
    refusal = submission.event if isinstance(submission.event, Refusal) else submission.checked
    assert isinstance(refusal, Refusal)
    assert refusal.__traceback__ is None
    assert refusal.__context__ is None
