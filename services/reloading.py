"""Having a running server read its accounts anew: newcomers come in, and whoever is kept out is cut off."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
import urllib.error
import urllib.request
from typing import Final

from services.home import HomeFolder, read_json

_RELOAD_SECONDS: Final = 10.0
_LOOK_AGAIN_SECONDS: Final = 0.003


class ServerReloadError(Exception):
    """The running server did not take the changed accounts; the message says where to look."""


def tell_server(folder: HomeFolder) -> bool:
    """Have the server that runs on this home, if one does, read its configuration, and wait until it has.

    Returns whether one runs. Raises ServerReloadError if it does not take what changed.

    It is told twice: the imports of an account that is new in one reading take effect with the next (seen with
    nats-server 2.15.1; until then the newcomer could connect, but its submissions would reach nobody).
    """
    running = read_json(folder.server_file)
    if running is None or not folder.in_use():  # a killed server leaves its file; its process id may be another's now
        return False
    for _ in range(2):
        before = _loaded_at(running["monitor_url"])
        if before is None:  # it was killed this moment; the next one reads the new accounts when it starts
            return False
        try:
            os.kill(int(running["pid"]), signal.SIGHUP)
        except ProcessLookupError:  # the same, a moment later
            return False
        deadline = time.monotonic() + _RELOAD_SECONDS
        while _loaded_at(running["monitor_url"]) == before:
            if time.monotonic() > deadline:
                raise ServerReloadError(
                    "the server does not take the changed accounts: "
                    f"see {folder.nats / 'server.log'}, or stop and start the chain"
                )
            time.sleep(_LOOK_AGAIN_SECONDS)
    return True


def _loaded_at(monitor_url: str) -> str | None:
    """When the server last read its configuration; None if there is no server."""
    try:
        # The address is one that our own server wrote down.
        with urllib.request.urlopen(f"{monitor_url}/varz", timeout=5) as answer:  # noqa: S310
            return str(json.load(answer)["config_load_time"])
    except (ConnectionError, urllib.error.URLError, http.client.HTTPException, json.JSONDecodeError):
        return None  # it was killed before it answered, or while it did
