"""Notices to parties: somebody waits for them. Said once, on their notices subject; the facts stand in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nats.aio.client import Client
from pydantic import BaseModel, ConfigDict

from events.envelope import Moment
from events.party import PARTNER_ROLES, role_of
from events.subjects import notices_subject


class Notice(BaseModel):
    """``notice`` is the fact that it is about: ``commitment.overdue`` or ``message.failed``."""

    model_config = ConfigDict(frozen=True)

    notice: str
    order: str
    kind: str
    at: Moment
    commitment: str | None = None
    owed_by: str | None = None
    since: Moment | None = None
    due: Moment | None = None
    message: str | None = None
    reason: str | None = None


async def send_notice(connection: Client, party: str, notice: Notice) -> None:
    """Tell ``party``, if it is a partner; whoever is not connected finds it in the order's timeline."""
    if role_of(party) in PARTNER_ROLES:
        await connection.publish(notices_subject(party), notice.model_dump_json(exclude_none=True).encode())


def overdue_notice(row: dict[str, Any], at: datetime) -> Notice:
    """The notice of one row of the query ``stalled``."""
    return Notice(
        notice="commitment.overdue",
        order=row["order_id"],
        kind=row["kind"],
        at=at,
        commitment=row["commitment_id"],
        owed_by=row["owed_by"],
        since=row["since"],
        due=row["due"],
    )
