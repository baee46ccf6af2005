"""The home folder: where everything of one chain lies on disk, and how it is written.

policy.toml            how long everything may take, if not as built in
registry/              parties.json: who takes part, with their name and how a person reaches them; access.json: who
                       of them is kept out; nkeys.json: by which public key the server knows each
credentials/           one file per partner with its secret, until it was handed over, readable by its owner only;
                       replaced.json: which secrets that were replaced still work, and until when
logins/                one folder per user of our own, with its credential
keys/                  by what partners are known over HTTP: digests of their keys; what those sign with who speak for
                       carriers
webhooks/              one file per party that writes to its customers itself: where its messages go, what signs them
nats/                  the server's configuration, its accounts, its log, and the store (the truth) with its lock
run/                   what runs at this moment: addresses and process ids
readmodels/            the DuckDB file; may be deleted, it is rebuilt from the log
outbox/                messages written as files, when no mail server is set
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

#: Settings, a policy and a mapping are pages at most (bytes).
_MOST_WRITTEN: Final = 4 * 1024 * 1024


@dataclass(frozen=True)
class HomeFolder:
    """Paths below ``root``. Making one touches nothing; ``create`` makes the folders."""

    root: Path

    @property
    def parties_file(self) -> Path:
        """The party registry."""
        return self.registry / "parties.json"

    @property
    def access_file(self) -> Path:
        """Which of the registered partners are kept out."""
        return self.registry / "access.json"

    @property
    def nkeys_file(self) -> Path:
        """The public keys of the registered partners."""
        return self.registry / "nkeys.json"

    @property
    def untold_file(self) -> Path:
        """There while accounts are changed of which the server has not heard for certain."""
        return self.registry / ".untold"

    @property
    def registry(self) -> Path:
        """Folder of the party registry."""
        return self.root / "registry"

    @property
    def credentials(self) -> Path:
        """Folder of secrets, one file per partner."""
        return self.root / "credentials"

    @property
    def replaced_file(self) -> Path:
        """Which secrets of partners were replaced and still work."""
        return self.credentials / "replaced.json"

    @property
    def logins(self) -> Path:
        """Folder of the secrets of our own users."""
        return self.root / "logins"

    def login_file(self, user: str) -> Path:
        """The credential of one of our own users: each has a folder of its own."""
        return self.logins / user / "login.json"

    @property
    def webhooks(self) -> Path:
        """Folder of webhooks and their secrets, one file per party that has one."""
        return self.root / "webhooks"

    @property
    def keys(self) -> Path:
        """Folder of the digests of the keys with which partners are known over HTTP."""
        return self.root / "keys"

    @property
    def http_file(self) -> Path:
        """Address of the service for HTTP, while it runs."""
        return self.run / "http-address.json"

    @property
    def nats(self) -> Path:
        """Folder of the server: configuration, accounts, log."""
        return self.root / "nats"

    @property
    def accounts_file(self) -> Path:
        """The generated accounts, which the server's configuration includes."""
        return self.nats / "accounts.conf"

    @property
    def server_config(self) -> Path:
        """The copy of nats-server.conf that the server reads."""
        return self.nats / "nats-server.conf"

    @property
    def store(self) -> Path:
        """The folder under which JetStream keeps its streams (it makes a folder ``jetstream`` in it)."""
        return self.nats / "store"

    @property
    def run(self) -> Path:
        """Folder of what runs now."""
        return self.root / "run"

    @property
    def server_file(self) -> Path:
        """Address and process id of the running server."""
        return self.run / "nats.json"

    @property
    def lock_file(self) -> Path:
        """Held for as long as a server uses the store: it lies in there, so that it goes where the store goes."""
        return self.store / "lock"

    @property
    def database(self) -> Path:
        """The DuckDB file of the projector."""
        return self.root / "readmodels" / "repairchain.duckdb"

    @property
    def state(self) -> Path:
        """Folder of what services remember of the log."""
        return self.root / "state"

    @property
    def policy(self) -> Path:
        """The policy, if the operator has written one."""
        return self.root / "policy.toml"

    @property
    def carriers_file(self) -> Path:
        """What carriers said of parcels and is not in the log yet."""
        return self.state / "carriers.sqlite"

    @property
    def told_file(self) -> Path:
        """What partners that ask over HTTP were told lately."""
        return self.state / "told.sqlite"

    @property
    def outbox(self) -> Path:
        """Folder for messages that are written as files."""
        return self.root / "outbox"

    def service_file(self, service: str) -> Path:
        """Health address and process id of a running service."""
        return self.run / f"{service}.json"

    def create(self) -> None:
        """Make the folders that are missing; those with secrets in them are closed to everybody else."""
        for folder in (self.root, self.run, self.state, self.database.parent, self.outbox, self.registry):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.credentials, self.logins, self.keys, self.webhooks, self.nats, self.store):
            folder.mkdir(mode=0o700, exist_ok=True)
        lying_here_before = self.root / "parties.json"
        if lying_here_before.exists() and not self.parties_file.exists():
            lying_here_before.replace(self.parties_file)

    def in_use(self) -> bool:
        """Whether a server runs on this home; what a killed one left in ``run/`` does not count."""
        if not self.lock_file.exists():
            return False
        with self.lock_file.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: several may ask at the same time
            except OSError:
                return True
        return False

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One writer at a time for parties, credentials and accounts, also across processes."""
        self.create()
        with (self.registry / ".changing").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one step, readable by its owner only: a reader sees the old or the new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """``write_private`` with ``value`` as indented JSON."""
    write_private(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_written(path: Path) -> str:
    """What a person has written into ``path``, as UTF-8.

    Raises UnicodeDecodeError, and OSError, also where it is longer than anything that people write: it may have no end.
    """
    with open_given(path) as file:
        content = file.read(_MOST_WRITTEN + 1)
        if not content and stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.ENODATA, "it is a pipe into which nobody writes", str(path))
    if len(content) > _MOST_WRITTEN:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content.decode("utf-8")


def open_given(path: Path) -> IO[bytes]:
    """What somebody named to be read. A pipe into which nobody writes is at its end, instead of being waited for.

    Raises OSError.
    """
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115 - the caller closes it
    os.set_blocking(file.fileno(), True)
    return file


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in ``path``, or None if there is no such file. Raises ValueError for any other content."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{path} does not hold a JSON object")
    return value
