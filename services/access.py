"""Letting partners in, keeping them out, and giving them another secret; a running server hears of it at once.

``access.json`` in the registry holds ``{"state": "suspended" | "revoked", "since": …}`` for each partner that is kept
out; whoever does not stand there is let in. A partner that is kept out has no account on the server: its connections
are cut when the server reads its accounts anew, and its secret opens nothing. What it said before stays.

Whoever is killed amid a change leaves word first that the server is to be told (untold_file), and who is kept out
stands in the registry before anything of it is destroyed: so ``up`` carries on with what was begun, and doing it again
does the rest.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from services.credentials import (
    Identity,
    forget_credential,
    forget_replaced,
    identity,
    read_kept_out,
    read_nkeys,
    register_nkey,
    replace_in_time,
    require_unused,
    write_accounts,
)
from services.home import HomeFolder, read_json, write_json
from services.http.keys import revoke_keys
from services.opening import make_boxes
from services.reloading import tell_server
from services.userkeys import check_public_key

#: How ``partner list`` and ``show`` name whoever is let in.
ACTIVE: Final = "active"


class AccessError(ValueError):
    """That cannot be done with this partner as it stands; the message says what can."""


class KeptOut(BaseModel):
    """That a partner is not let in, and since when. A suspended one keeps its secret, a revoked one has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Literal["suspended", "revoked"]
    since: datetime


def kept_out(home: Path) -> dict[str, KeptOut]:
    """Every partner that is not let in."""
    return {party: KeptOut.model_validate(each) for party, each in read_kept_out(HomeFolder(home)).items()}


def suspend(home: Path, party: str) -> bool:
    """Keep ``party`` out until ``resume``; it keeps its secret.

    Returns, as the others here do, whether a running server of this home has taken it. Raises AccessError if the party
    is not registered, or was revoked.
    """
    folder = HomeFolder(home)
    with folder.changing():
        if _state(home, party) == "revoked":
            raise AccessError(f"{party} was revoked, which keeps it out already")
        _note(folder, party, "suspended")
        return _apply(folder)


def revoke(home: Path, party: str) -> bool:
    """Keep ``party`` out and destroy its secret, and its keys. Raises AccessError if it is not registered."""
    folder = HomeFolder(home)
    with folder.changing():
        _state(home, party)
        _note(folder, party, "revoked")
    revoke_keys(home, party)  # before the rest, which the server may not take
    with folder.changing():
        _note(folder, party, "revoked")
        _forget_secrets(folder, party)
        return _apply(folder)


def resume(home: Path, party: str) -> bool:
    """Let ``party`` in again: with the secret that it had, or with a new one if it was revoked.

    Raises AccessError if it is not registered, or not kept out.
    """
    folder = HomeFolder(home)
    with folder.changing():
        before = _state(home, party)
    if before == "revoked":  # by somebody who was perhaps killed before all of its secrets were destroyed
        revoke_keys(home, party)
    with folder.changing():
        if _state(home, party) == ACTIVE and not folder.untold_file.exists():
            raise AccessError(
                f"{party} is let in already: 'repairchain partner show {party}' says as what it logs in, "
                f"'repairchain partner add {party}' writes its page anew"
            )
        folder.untold_file.touch()
        if before == "revoked":
            _forget_secrets(folder, party)
        others = {each: why for each, why in read_kept_out(folder).items() if each != party}
        write_json(folder.access_file, others)
        make_boxes(folder, [party])
        return _apply(folder)


def rotate(home: Path, party: str, nkey: str | None = None, overlap: timedelta = timedelta(0)) -> tuple[Identity, bool]:
    """Give ``party`` a new key, or have it log in with its own, of which ``nkey`` is the public half.

    The secret before works for ``overlap`` more; then it opens nothing, and what it opened is cut, by whoever runs the
    server (expiring.py). Without one that is at once. Returns as what the party logs in, too.
    Raises AccessError if the party is not registered, or kept out; KeyFormatError for what is no public key,
    CredentialError for one that is another partner's.
    """
    nkey = None if nkey is None else check_public_key(nkey)
    folder = HomeFolder(home)
    with folder.changing():
        state = _state(home, party)
        if state != ACTIVE:
            raise AccessError(f"{party} is {state}: let it in again with 'repairchain partner resume {party}'")
        if nkey is not None and read_nkeys(folder).get(party) == nkey:
            raise AccessError(f"{party} has that key already")
        if nkey is not None:
            require_unused(folder, party, nkey)
        folder.untold_file.touch()
        replace_in_time(folder, party, datetime.now(UTC), overlap)
        if nkey is None:
            forget_credential(folder, party)
        else:
            register_nkey(folder, party, nkey)
        told = _apply(folder)
        return identity(folder, party), told


def _state(home: Path, party: str) -> str:
    """The caller holds ``changing()``. Raises AccessError for a party that is not registered."""
    if party not in (read_json(HomeFolder(home).parties_file) or {}):
        raise AccessError(f"{party} is not registered: see 'repairchain partner list'")
    found = kept_out(home).get(party)
    return ACTIVE if found is None else found.state


def _note(folder: HomeFolder, party: str, state: Literal["suspended", "revoked"]) -> None:
    """From now on ``party`` is kept out, but for a server that has not heard of it. The caller holds ``changing()``."""
    folder.untold_file.touch()
    known = read_kept_out(folder)
    if known.get(party, {}).get("state") != state:
        new = KeptOut(state=state, since=datetime.now(UTC).replace(microsecond=0))
        write_json(folder.access_file, known | {party: new.model_dump(mode="json")})


def _forget_secrets(folder: HomeFolder, party: str) -> None:
    forget_credential(folder, party)
    forget_replaced(folder, party)


def _apply(folder: HomeFolder) -> bool:
    """Within ``changing()``: what two changes at a time would have the server read must not run into one."""
    folder.untold_file.touch()
    write_accounts(folder, list(read_json(folder.parties_file) or {}))
    return tell_server(folder)
