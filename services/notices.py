"""Notices to parties: somebody waits for them, a message in their name did not arrive, or here is their daily list.

Said once, on their notices subject; the facts stand in the log.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Any, Literal

import nats.errors
from nats.aio.client import Client
from pydantic import BaseModel, ConfigDict

from events.envelope import Moment
from events.party import PARTNER_ROLES, role_of
from events.subjects import notices_subject


class Notice(BaseModel):
    """``notice`` is the fact that it is about: commitment.nudged, .overdue, .withdrawn, or message.failed.

    ``person`` is the one whom the accountable party has named, for whom it is now ("" if it has named nobody).
    ``tracking_number``, ``carrier_status`` and ``carrier_at`` are of the parcel whose receipt is owed, where its
    carrier has said something: ``delivered``, say, and when.
    """

    model_config = ConfigDict(frozen=True)

    notice: str
    order: str
    kind: str
    at: Moment
    commitment: str | None = None
    owner: str | None = None
    opened_at: Moment | None = None
    due_at: Moment | None = None
    level: int | None = None
    person: str | None = None
    message: str | None = None
    reason: str | None = None
    tracking_number: str | None = None
    carrier_status: str | None = None
    carrier_at: Moment | None = None


class DailyList(BaseModel):
    """What ``party`` has to look after on ``day``, its own: ``list`` is the answer to the query ``briefing``."""

    model_config = ConfigDict(frozen=True)

    notice: Literal["daily.list"] = "daily.list"
    kind: Literal["list"] = "list"
    party: str
    day: date
    at: Moment
    list: dict[str, Any]


async def send_notice(connection: Client, party: str, notice: Notice | DailyList) -> None:
    """Tell ``party``, if it is a partner; whoever is not connected finds it in the order's timeline."""
    if role_of(party) in PARTNER_ROLES:
        await connection.publish(notices_subject(party), notice.model_dump_json(exclude_none=True).encode())
        # It is said once: let it be on its way before whoever says it does anything else.
        with suppress(nats.errors.Error, TimeoutError):
            await connection.flush()


def commitment_notice(name: str, row: dict[str, Any], at: datetime, party: str, person: str | None = None) -> Notice:
    """The notice to ``party`` of a row of the query ``sweep``, of which the fact ``name`` was said."""
    parcel = row.get("parcel") or {}
    for_person = "person" in row["tell"] and party == (row.get("accountable") or row["owner"])
    return Notice(
        notice=name,
        order=row["order"],
        kind=row["kind"],
        at=at,
        commitment=row["commitment_id"],
        owner=row["owner"],
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        level=row["reached"] or None,
        person=(person or "") if for_person else None,
        tracking_number=parcel.get("tracking_number"),
        carrier_status=parcel.get("carrier_status"),
        carrier_at=parcel.get("carrier_at"),
    )
