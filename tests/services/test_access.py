"""Keeping partners out and letting them in again, on a server that runs all the while."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from events.streams import declare_streams
from events.subjects import box_stream, intake_subject
from services import access, reloading
from services.access import AccessError, kept_out
from services.credentials import Credential, CredentialError, NotKeptError, credential
from services.expiring import end_replaced
from services.home import HomeFolder, write_json
from services.http.keys import make_key, with_key
from services.parties import add_party, list_parties
from services.reloading import ServerReloadError, tell_server
from services.userkeys import new_seed, public_key_of
from tests.chainserver import ChainServer
from tests.oldhome import old_partner
from tests.services.watching import CUT_WITHIN, OTHER, SHOP, seconds_until_cut


@pytest.mark.parametrize("change", [access.suspend, access.revoke, access.rotate], ids=lambda each: each.__name__)
async def test_live_connections_end_at_once_and_the_secret_opens_nothing(
    chain_server: ChainServer, change: Callable[[Path, str], object]
) -> None:
    await chain_server.add_party(SHOP)
    old = credential(chain_server.home, SHOP)
    assert await chain_server.lets_in(old)
    assert await seconds_until_cut(chain_server, SHOP, change) < CUT_WITHIN
    assert not await chain_server.lets_in(old)


async def test_what_a_revoked_partner_said_stays(chain_server: ChainServer) -> None:
    keeper = await chain_server.connect("keeper")
    await declare_streams(keeper.jetstream())
    shop = await chain_server.connect(SHOP)
    await shop.jetstream().publish(intake_subject(SHOP), b"{}")
    assert await asyncio.to_thread(access.revoke, chain_server.home, SHOP)
    assert (await keeper.jetstream().stream_info(box_stream(SHOP))).state.messages == 1
    assert SHOP in list_parties(chain_server.home)
    with pytest.raises(CredentialError, match="no credentials for retailer:acme"):
        credential(chain_server.home, SHOP)
    with pytest.raises(CredentialError, match="was revoked: 'repairchain partner resume retailer:acme'"):
        add_party(chain_server.home, SHOP, phone="555-0100")


async def test_a_suspended_partner_comes_back_with_its_secret_and_a_revoked_one_with_another(
    chain_server: ChainServer,
) -> None:
    keeper = await chain_server.connect("keeper")
    await declare_streams(keeper.jetstream())
    await chain_server.add_party(SHOP)
    old = credential(chain_server.home, SHOP)
    for change in (access.suspend, access.resume):
        await asyncio.to_thread(change, chain_server.home, SHOP)
    assert credential(chain_server.home, SHOP) == old
    back = await chain_server.connect(SHOP)
    await back.jetstream().publish(intake_subject(SHOP), b"{}")  # what it may do came back with it
    for change in (access.revoke, access.resume):
        await asyncio.to_thread(change, chain_server.home, SHOP)
    assert credential(chain_server.home, SHOP) != old
    assert not await chain_server.lets_in(old)
    back = await chain_server.connect(SHOP)
    assert (await back.jetstream().publish(intake_subject(SHOP), b"{}")).seq == 2


async def test_another_secret_lets_in_and_hands_in(chain_server: ChainServer) -> None:
    keeper = await chain_server.connect("keeper")
    await declare_streams(keeper.jetstream())
    await chain_server.add_party(SHOP)
    old = credential(chain_server.home, SHOP)
    found, told = await asyncio.to_thread(access.rotate, chain_server.home, SHOP)
    new = credential(chain_server.home, SHOP)
    assert (told, found.user, new.seed != old.seed) == (True, old.user, True)
    assert found.nkey == public_key_of(new.seed)
    shop = await chain_server.connect(SHOP)
    assert (await shop.jetstream().publish(intake_subject(SHOP), b"{}")).seq == 1


async def test_a_password_of_before_lets_in_until_it_is_replaced_by_a_key(chain_server: ChainServer) -> None:
    old = await asyncio.to_thread(old_partner, chain_server.home, SHOP)
    for change in (access.suspend, access.resume):
        await asyncio.to_thread(change, chain_server.home, SHOP)
    assert await chain_server.lets_in(old)
    assert await seconds_until_cut(chain_server, SHOP, access.rotate) < CUT_WITHIN
    assert not await chain_server.lets_in(old)
    assert await chain_server.lets_in(credential(chain_server.home, SHOP))


async def test_a_partner_changes_to_a_key_that_it_made_itself(chain_server: ChainServer) -> None:
    await chain_server.add_party(SHOP)
    old, own = credential(chain_server.home, SHOP), Credential("retailer.acme", seed=new_seed())
    nkey = public_key_of(own.seed)
    assert not await chain_server.lets_in(own)
    found, told = await asyncio.to_thread(access.rotate, chain_server.home, SHOP, nkey)
    assert (found.nkey, found.file, told) == (nkey, None, True)
    assert await chain_server.lets_in(own)
    assert not await chain_server.lets_in(old)
    with pytest.raises(NotKeptError):
        credential(chain_server.home, SHOP)
    with pytest.raises(AccessError, match="has that key already"):
        access.rotate(chain_server.home, SHOP, nkey)
    await chain_server.add_party(OTHER)
    with pytest.raises(CredentialError, match="is another partner's"):
        access.rotate(chain_server.home, OTHER, nkey)
    assert await chain_server.lets_in(credential(chain_server.home, OTHER))


async def test_who_is_kept_out_stays_out_when_the_server_starts_again(chain_server: ChainServer) -> None:
    await chain_server.add_party(SHOP)
    old = credential(chain_server.home, SHOP)
    await asyncio.to_thread(access.suspend, chain_server.home, SHOP)
    await chain_server.embedded.stop()
    await chain_server.embedded.start()
    await chain_server.add_party(OTHER)  # writes the accounts anew
    assert not await chain_server.lets_in(old)
    assert kept_out(chain_server.home)[SHOP].state == "suspended"


def test_a_server_that_hangs_is_told_all_the_same_and_that_it_hangs_is_said(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(reloading, "_ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(HomeFolder, "in_use", lambda _: True)
    monkeypatch.setattr(os, "kill", lambda *args: signals.append(args))
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # takes connections, and answers none
        running = {"monitor_url": f"http://127.0.0.1:{hanging.getsockname()[1]}", "pid": 7}
        folder = HomeFolder(free_home)
        folder.create()
        write_json(folder.server_file, running)
        with pytest.raises(ServerReloadError, match="does not take the changed accounts"):
            tell_server(folder)
    assert signals == [(7, signal.SIGHUP)]


async def test_a_server_that_has_its_accounts_and_only_just_starts_is_told_later(chain_server: ChainServer) -> None:
    home, folder = chain_server.home, HomeFolder(chain_server.home)
    await chain_server.add_party(SHOP)
    where = folder.server_file.rename(folder.run / "not yet")
    assert not await asyncio.to_thread(access.suspend, home, SHOP)
    assert await chain_server.lets_in(credential(home, SHOP))
    where.rename(folder.server_file)
    await asyncio.to_thread(end_replaced, home, datetime.now(UTC))
    assert not await chain_server.lets_in(credential(home, SHOP))


async def test_letting_in_that_the_server_did_not_take_can_be_done_again(
    chain_server: ChainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = chain_server.home
    await chain_server.add_party(SHOP)
    await asyncio.to_thread(access.suspend, home, SHOP)
    with monkeypatch.context() as hung:
        hung.setattr(access, "tell_server", Mock(side_effect=ServerReloadError))
        with pytest.raises(ServerReloadError):
            await asyncio.to_thread(access.resume, home, SHOP)
    assert await asyncio.to_thread(access.resume, home, SHOP)
    assert await chain_server.lets_in(credential(home, SHOP))
    with pytest.raises(AccessError, match="let in already"):
        await asyncio.to_thread(access.resume, home, SHOP)


def test_keys_are_revoked_also_if_the_server_does_not_take_the_rest(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_party(free_home, SHOP)
    make_key(free_home, SHOP, datetime.now(UTC))
    monkeypatch.setattr(access, "tell_server", Mock(side_effect=ServerReloadError))
    with pytest.raises(ServerReloadError):
        access.revoke(free_home, SHOP)
    assert with_key(free_home) == frozenset()


def test_without_a_server_it_is_done_and_said_that_nobody_was_told(free_home: Path) -> None:
    add_party(free_home, SHOP)
    assert access.suspend(free_home, SHOP) is False
    since = kept_out(free_home)[SHOP].since
    assert access.suspend(free_home, SHOP) is False
    assert kept_out(free_home)[SHOP].since == since
    assert access.revoke(free_home, SHOP) is False
    assert kept_out(free_home)[SHOP].state == "revoked"


@pytest.mark.parametrize(
    ("before", "change", "said"),
    [
        ((), access.resume, "is let in already"),
        ((access.suspend,), access.rotate, "is suspended: let it in again with 'repairchain partner resume"),
        ((access.revoke,), access.rotate, "is revoked: let it in again with"),
        ((access.revoke,), access.suspend, "was revoked, which keeps it out already"),
    ],
)
def test_what_makes_no_sense_is_refused(
    free_home: Path, before: tuple[Callable[..., object], ...], change: Callable[..., object], said: str
) -> None:
    add_party(free_home, SHOP)
    for each in before:
        each(free_home, SHOP)
    with pytest.raises(AccessError, match=said):
        change(free_home, SHOP)


@pytest.mark.parametrize("change", [access.suspend, access.revoke, access.resume, access.rotate])
def test_so_is_whoever_is_not_registered(free_home: Path, change: Callable[..., object]) -> None:
    with pytest.raises(AccessError, match="retailer:acme is not registered: see 'repairchain partner list'"):
        change(free_home, SHOP)
    assert kept_out(free_home) == {}
