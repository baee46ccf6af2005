"""Every principal and every subject, with headers and others' reply subjects: what is allowed is what is declared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from events.streams import declare_streams
from events.subjects import receipts_subject
from services.rights import KEEPER_USER, OWN_USERS, Rights
from tests.access.declared import declared, differences
from tests.access.subjects import to_publish, to_subscribe
from tests.access.trying import Trying
from tests.chainserver import ChainServer

PARTIES = ("retailer:acme", "retailer:rival", "importer:north", "repairer:bench")
#: The keeper may do anything, and would: it is told apart in test_accounts.py.
PRINCIPALS = (*(user for user in OWN_USERS if user != KEEPER_USER), *PARTIES)


async def tried(server: ChainServer, principals: Sequence[str]) -> dict[tuple[str, str, str], bool]:
    """What the server allows: who, what, subject."""
    keeper = await server.connect(KEEPER_USER)
    await declare_streams(keeper.jetstream())
    for party in PARTIES:
        await server.add_party(party)
    said, heard = to_publish(PARTIES), to_subscribe(PARTIES)
    allowed: dict[tuple[str, str, str], bool] = {}
    for who in principals:
        trying = Trying()
        await trying.connect(server, who)
        # Where an answer is written to is no right of its own: whoever asks is told, and the account is the fence.
        others = receipts_subject(next(party for party in PARTIES if party != who))
        for what, found in (
            ("subscribe", await trying.subscribe(heard)),
            ("publish", await trying.publish(said)),
            ("publish with headers", await trying.publish(said, headers={"Nats-Msg-Id": "1", "Nats-Rollup": "all"})),
            ("publish with another's reply", await trying.publish(said, reply=others)),
        ):
            allowed |= {(who, what, subject): is_allowed for subject, is_allowed in found.items()}
    return allowed


@pytest.mark.timeout(180)
async def test_what_is_allowed_is_what_is_declared(chain_server: ChainServer) -> None:
    allowed = await tried(chain_server, PRINCIPALS)
    assert len(allowed) >= 10_000
    assert differences(allowed, declared(PRINCIPALS)) == []
    # Somebody may do something, or the matrix would prove nothing.
    assert all(any(is_allowed for (who, *_), is_allowed in allowed.items() if who == each) for each in PRINCIPALS)


@pytest.mark.timeout(180)
async def test_a_permission_that_is_too_wide_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: one partner may publish to another's letter box, and one service too much."""
    as_declared = Rights.as_permissions

    def too_wide(rights: Rights) -> dict[str, object]:
        permissions = as_declared(rights)
        if rights.publish == ("intake.retailer.rival", "orders.retailer.rival"):
            permissions["publish"] = {"allow": [*rights.publish, "intake.retailer.acme"]}
        return permissions

    monkeypatch.setattr(Rights, "as_permissions", too_wide)
    async with ChainServer(tmp_path / "home") as server:
        # Of each kind of principal one, and whom it is about.
        some = ("retailer", "operator", "retailer:acme", "retailer:rival", "importer:north")
        found = differences(await tried(server, some), declared(PRINCIPALS))
    assert found
    assert {(who, subject, kind) for who, what, subject, kind in found if what != "subscribe"} == {
        ("retailer:rival", "intake.retailer.acme", "more")
    }
