"""Secrets that were replaced and go on working for a while: beside the new one, until their time, and not beyond."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services import access
from services.credentials import Credential, CredentialError, credential, prepare
from services.expiring import end_in_time, end_replaced
from services.home import HomeFolder
from services.parties import add_party
from services.replaced import Replaced, read_replaced, until_of, with_another, working, write_replaced
from services.userkeys import new_seed, public_key_of
from tests.chainserver import ChainServer
from tests.oldhome import old_partner
from tests.services.watching import CUT_WITHIN, OTHER, SHOP, watched
from tests.waiting import eventually

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def later(home: Path, moment: timedelta = DAY) -> list[str]:
    """What is ended when so much time has passed."""
    return end_replaced(home, datetime.now(UTC) + moment)


def bring_forward(home: Path, until: datetime) -> None:
    """As if the overlaps had been agreed upon earlier."""
    folder = HomeFolder(home)
    with folder.changing():
        found = read_replaced(folder).items()
        write_replaced(folder, {party: tuple(replace(each, until=until) for each in all) for party, all in found})


def test_none_of_several_works_for_longer_than_was_said_last() -> None:
    first, second = Replaced(NOW + 5 * DAY, nkey="U1"), Replaced(NOW + DAY, nkey="U2")
    third = Replaced(NOW + 2 * DAY, nkey="U3")
    found = with_another((second, first), third, third.until)
    assert [(each.nkey, each.until - NOW) for each in found] == [("U3", 2 * DAY), ("U2", DAY), ("U1", 2 * DAY)]
    assert [each.nkey for each in working({SHOP: found}, NOW + DAY)[SHOP]] == ["U3", "U1"], "not at the very moment"
    assert working({SHOP: found}, NOW + 2 * DAY) == {}
    assert len(with_another(found + found, first, first.until)) == 4
    assert with_another((second,), second, second.until) == (second,)


@pytest.mark.parametrize("with_password", [False, True])
async def test_both_secrets_open_until_the_time_is_up(chain_server: ChainServer, with_password: bool) -> None:
    if with_password:
        old = await asyncio.to_thread(old_partner, chain_server.home, SHOP)
    else:
        await chain_server.add_party(SHOP)
        old = credential(chain_server.home, SHOP)
    live, steady = await watched(chain_server, SHOP), await watched(chain_server, OTHER)
    await asyncio.to_thread(access.rotate, chain_server.home, SHOP, None, DAY)
    new = credential(chain_server.home, SHOP)
    await live.client.flush()
    assert [await chain_server.lets_in(each) for each in (old, new)] == [True, True]
    renewed = await watched(chain_server, SHOP)
    assert await asyncio.to_thread(later, chain_server.home, DAY - timedelta(minutes=1)) == []
    bring_forward(chain_server.home, datetime.now(UTC))
    said: list[str] = []
    ending = asyncio.create_task(end_in_time(chain_server.home, said.append))
    async with asyncio.timeout(CUT_WITHIN):
        await live.gone.wait()
    await eventually(lambda: said, "it is said")
    ending.cancel()
    with suppress(asyncio.CancelledError):
        await ending
    assert said == [f"the old secret of {SHOP} has come to its end"]
    assert [await chain_server.lets_in(each) for each in (old, new)] == [False, True]
    for other in (renewed, steady):
        await other.client.flush()
        assert not other.gone.is_set()
    assert not HomeFolder(chain_server.home).replaced_file.exists()


async def test_a_server_that_starts_does_not_know_what_ended_meanwhile(chain_server: ChainServer) -> None:
    await chain_server.add_party(SHOP)
    old = credential(chain_server.home, SHOP)
    await asyncio.to_thread(access.rotate, chain_server.home, SHOP, None, DAY)
    await chain_server.embedded.stop()
    await chain_server.embedded.start()
    assert await chain_server.lets_in(old), "its time is not up"
    await chain_server.embedded.stop()
    bring_forward(chain_server.home, datetime.now(UTC))
    await chain_server.embedded.start()
    assert not await chain_server.lets_in(old)


@pytest.mark.parametrize("change", [access.suspend, access.revoke, access.rotate])
async def test_keeping_out_and_rotating_again_end_both(chain_server: ChainServer, change: object) -> None:
    assert callable(change)
    await chain_server.add_party(SHOP)
    old = credential(chain_server.home, SHOP)
    live = await watched(chain_server, SHOP)
    await asyncio.to_thread(access.rotate, chain_server.home, SHOP, None, DAY)
    new, renewed = credential(chain_server.home, SHOP), await watched(chain_server, SHOP)
    async with asyncio.timeout(CUT_WITHIN):
        await asyncio.to_thread(change, chain_server.home, SHOP)
        await asyncio.gather(live.gone.wait(), renewed.gone.wait())
    assert [await chain_server.lets_in(each) for each in (old, new)] == [False, False]


async def test_a_key_that_comes_back_into_force_stays_in_force(chain_server: ChainServer) -> None:
    own = [Credential("retailer.acme", seed=new_seed()) for _ in range(2)]
    keys = [public_key_of(each.seed) for each in own]
    await asyncio.to_thread(add_party, chain_server.home, SHOP, nkey=keys[0])
    for key in (keys[1], keys[0]):
        await asyncio.to_thread(access.rotate, chain_server.home, SHOP, key, DAY)
        assert [await chain_server.lets_in(each) for each in own] == [True, True]
    await chain_server.add_party(OTHER)
    with pytest.raises(CredentialError, match="is another partner's"):  # of which it is the old one
        access.rotate(chain_server.home, OTHER, keys[1])
    await asyncio.to_thread(later, chain_server.home, 2 * DAY)
    assert await chain_server.lets_in(own[0])


def test_an_old_password_is_shown_nowhere_and_its_file_is_closed(free_home: Path) -> None:
    old = old_partner(free_home, SHOP)
    access.rotate(free_home, SHOP, overlap=DAY)
    folder = HomeFolder(free_home)
    assert old.password not in repr(read_replaced(folder))
    assert folder.replaced_file.stat().st_mode & 0o077 == 0
    assert until_of(read_replaced(folder), SHOP) is not None
    holding = [file for file in free_home.rglob("*") if file.is_file() and old.password in file.read_text("utf-8")]
    assert sorted(holding) == sorted([folder.replaced_file, folder.accounts_file])
    assert later(free_home) == [SHOP]
    prepare(free_home)
    access.revoke(free_home, SHOP)
    assert read_replaced(folder) == {}


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"retailer:acme": [{"nkey": "U1"}]}', '{"retailer:acme": [{"until": 1}]}']
)
def test_a_broken_file_is_told_and_not_repeated(free_home: Path, text: str) -> None:
    add_party(free_home, SHOP)
    HomeFolder(free_home).replaced_file.write_text(text)
    with pytest.raises(CredentialError, match=r"replaced\.json is broken: delete it") as caught:
        prepare(free_home)
    assert "U1" not in str(caught.value)
