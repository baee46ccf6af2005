"""Keys with which partners are known over HTTP. Only their digests are kept.

``keys/keys.json`` in the home is ``{party: [{"id": …, "digest": …, "until": …}]}``. The first one is in force; those
that it took the place of work until their time is up, so that a partner can change over without a gap. A key is
``rk_<id>_<secret>``: the id finds it, and 256 random bits need no slow digest.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from events.party import PartyError
from services.home import HomeFolder, read_json, write_json

#: How long a key that was replaced goes on working, unless something else is said.
OVERLAP: Final = timedelta(days=1)
#: So many keys of one party may work at a time.
_MOST: Final = 5

_KEY: Final = re.compile(r"rk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
#: What a key that nobody has is held against, so that it takes as long.
_NOBODYS: Final = "0" * 64


class Key(BaseModel):
    """What is kept of a key; ``until`` is None for the one in force."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    digest: str
    until: AwareDatetime | None = None

    def works(self, now: datetime) -> bool:
        return self.until is None or now < self.until


_Stored: Final = TypeAdapter(dict[str, tuple[Key, ...]])


def make_key(home: Path, party: str, now: datetime, overlap: timedelta = OVERLAP) -> str:
    """A new key of ``party``, which is shown now and never again. Raises PartyError if it takes no part.

    The one before works for ``overlap`` more, and none of the earlier ones for longer.
    """
    folder = HomeFolder(home)
    with folder.changing():
        if party not in (read_json(folder.parties_file) or {}):
            raise PartyError(f"'{party}' takes no part in this chain")
        stored = _read(folder)
        id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        latest = now + overlap
        earlier = [
            key.model_copy(update={"until": min(key.until or latest, latest)})
            for key in stored.get(party, ())
            if key.works(now) and overlap
        ]
        stored[party] = (Key(id=id, digest=_digest(secret)), *earlier)[:_MOST]
        _write(folder, stored)
    return f"rk_{id}_{secret}"


def revoke_keys(home: Path, party: str) -> int:
    """Have no key of ``party`` work any more, from this moment on; how many there were."""
    folder = HomeFolder(home)
    with folder.changing():
        stored = _read(folder)
        gone = stored.pop(party, ())
        _write(folder, stored)
    return len(gone)


def replaced_until(home: Path, now: datetime) -> dict[str, datetime]:
    """Until when the last key that was replaced works, of each party that has one."""
    found: dict[str, datetime] = {}
    for party, keys in _read(HomeFolder(home)).items():
        moments = [key.until for key in keys if key.until is not None and key.works(now)]
        if moments:
            found[party] = max(moments)
    return found


def with_key(home: Path) -> frozenset[str]:
    """The parties that have a key in force; it opens nothing while its party is kept out."""
    stored = _read(HomeFolder(home))
    return frozenset(party for party, keys in stored.items() if any(key.until is None for key in keys))


class Keys:
    """Whose key it is, as the home has it at the moment."""

    def __init__(self, home: Path) -> None:
        self._folder = HomeFolder(home)
        self._seen: object = None
        self._by_id: dict[str, tuple[str, Key]] = {}

    def party_of(self, text: str, now: datetime) -> str | None:
        """The party that ``text`` is a key of, if it works and the party is let in; or None."""
        self._look()
        match = _KEY.fullmatch(text)
        party, key = self._by_id.get(match[1] if match else "", ("", None))
        told = hmac.compare_digest(_digest(match[2] if match else text), key.digest if key else _NOBODYS)
        return party if told and key is not None and key.works(now) else None

    def _look(self) -> None:
        """Read what has changed; a file is replaced as a whole."""
        files = (_file(self._folder), self._folder.parties_file, self._folder.access_file)
        seen = tuple(_state_of(file) for file in files)
        if seen == self._seen:
            return
        kept_out = read_json(self._folder.access_file) or {}
        taking_part = {party for party in read_json(self._folder.parties_file) or {} if party not in kept_out}
        self._by_id = {
            key.id: (party, key) for party, keys in _read(self._folder).items() if party in taking_part for key in keys
        }
        self._seen = seen


def _state_of(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _file(folder: HomeFolder) -> Path:
    return folder.keys / "keys.json"


def _read(folder: HomeFolder) -> dict[str, tuple[Key, ...]]:
    return _Stored.validate_python(read_json(_file(folder)) or {})


def _write(folder: HomeFolder, stored: dict[str, tuple[Key, ...]]) -> None:
    write_json(_file(folder), _Stored.dump_python(stored, mode="json", exclude_none=True))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
