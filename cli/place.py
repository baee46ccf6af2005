"""Where the chain is: its home folder and, if one runs, its server, in some milliseconds.

services/settings.py is the source of configuration, but importing it takes longer than a whole query. This reads the
same four values from the same places; tests/cli/test_place.py holds the two together.
"""

from __future__ import annotations

import json
import os
import shlex
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.errors import Problem, one_line
from services.home import HomeFolder, read_written

if TYPE_CHECKING:
    from services.settings import Settings

_FILE: Final = "repairchain.toml"
_DEFAULT_HOME: Final = ".repairchain"
_OPERATOR: Final = "operator"


@dataclass(frozen=True)
class Place:
    """``home`` is the chain's folder; ``url``, ``user`` and ``password`` are set when the settings name a server."""

    home: Path
    url: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def folder(self) -> HomeFolder:
        return HomeFolder(self.home)

    @property
    def command(self) -> str:
        """How a command for this chain begins, to be copied into a shell: ``repairchain --home elsewhere``."""
        home = str(self.home)
        return "repairchain" if home == _DEFAULT_HOME else f"repairchain --home {shlex.quote(home)}"


def find_place(home: Path | None) -> Place:
    """The place that ``--home``, the environment, repairchain.toml here or the one at home name; the first wins."""
    here = _read_settings(Path(_FILE))
    root = home or _setting("home", here) or _DEFAULT_HOME
    folder = Path(str(root))
    at_home = {} if folder.absolute() == Path.cwd() else _read_settings(folder / _FILE)
    found = {name: _setting(name, here, at_home) for name in ("nats_url", "nats_user", "nats_password")}
    return Place(folder, found["nats_url"], found["nats_user"], found["nats_password"])


def _setting(name: str, *files: dict[str, Any]) -> str | None:
    """The first that is set, in the environment or in one of the files."""
    for value in (os.environ.get(f"REPAIRCHAIN_{name.upper()}"), *(file.get(name) for file in files)):
        if value:
            return str(value)
    return None


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_written(path))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise Problem(f"{path} cannot be read ({one_line(error)}): mend or remove it.") from None


def settings_of(place: Place, **given: Any) -> Settings:
    """All settings, with the home that was found. Raises Problem for a wrong one."""
    from services.settings import SettingsError, load_settings

    try:
        return load_settings(home=place.home, **given)
    except SettingsError as error:
        raise Problem(f"{one_line(error)}.") from None


def server_url(place: Place) -> str | None:
    """Address of the server, if there should be one; whether it lives is found out by connecting."""
    if place.url:
        return place.url
    running = read_object(place.folder.server_file)
    return str(running["url"]) if running and running.get("url") else None


def http_url(place: Place) -> str | None:
    """Where partners reach HTTP, or will once the chain runs; None if it is not open, or on a port still to be chosen.

    SERVER stands in it for a name that only the operator knows: of what stands before it, or of a machine that listens
    on all of its addresses.
    """
    running = read_object(place.folder.http_file)
    found = str(running["url"]) if running and running.get("url") else None
    try:
        settings = settings_of(place)
    except Problem:  # said by whoever needs them; what asks for the address goes on without
        return found
    if settings.http_behind_proxy and (found or settings.http_port is not None):
        return "https://SERVER"
    if found is None and settings.http_port:
        host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
        found = f"{'http' if settings.http_certificate is None else 'https'}://{host}:{settings.http_port}"
    return found and found.replace("//0.0.0.0:", "//SERVER:").replace("//[::]:", "//SERVER:")


def operator_login(place: Place) -> dict[str, str]:
    """How the operator logs in, as arguments for a connection. Raises Problem if this home does not say."""
    if place.user is not None:
        return {"user": place.user, "password": place.password or ""}
    stored = read_object(place.folder.login_file(_OPERATOR))
    if stored is None:
        raise Problem(f"{place.home} holds no credentials of the operator: is it the home of this chain? See --home.")
    if stored.get("nkey_seed"):
        return {"nkeys_seed_str": str(stored["nkey_seed"])}
    return {"user": str(stored.get("user", "")), "password": str(stored.get("password", ""))}  # a home of before


def read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file of the home, or None if there is no such file. Raises Problem for anything else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise Problem(f"{path} may not be read by this user: run repairchain as the owner of its home.") from None
    except (OSError, ValueError) as error:
        raise Problem(f"{path} is damaged ({one_line(error)}): remove it and start the chain again.") from None
    if not isinstance(value, dict):
        raise Problem(f"{path} is damaged (it holds no JSON object): remove it and start the chain again.")
    return value
