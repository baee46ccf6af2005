"""Having a running server read its accounts anew: newcomers come in, and whoever is kept out is cut off."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from services.home import HomeFolder, read_json

_RELOAD_SECONDS: Final = 10.0
_LOOK_AGAIN_SECONDS: Final = 0.003
_ANSWER_SECONDS: Final = 5.0


class ServerReloadError(Exception):
    """The running server did not take the changed accounts; the message says where to look."""


def tell_server(folder: HomeFolder) -> bool:
    """Have the server that runs on this home, if one does, read its configuration, and wait until it has.

    Returns whether one runs. Raises ServerReloadError if it does not take what changed.

    It is told twice: the imports of an account that is new in one reading take effect with the next (seen with
    nats-server 2.15.1; until then the newcomer could connect, but its submissions would reach nobody). Once it has
    heard, nothing is left untold. One that only just starts may have read the accounts of before: whoever started it
    tells it again.
    """
    heard = _has_heard(folder)
    if heard or not folder.in_use():
        folder.untold_file.unlink(missing_ok=True)
    return heard


def _has_heard(folder: HomeFolder) -> bool:
    running = read_json(folder.server_file)
    if running is None or not folder.in_use():  # a killed server leaves its file; its process id may be another's now
        return False
    for _ in range(2):
        try:
            if not _tell(running):
                return False
        except TimeoutError:
            raise ServerReloadError(
                "the server does not take the changed accounts: "
                f"see {folder.nats / 'server.log'}, and do it again once it answers, or stop and start the chain"
            ) from None
    return True


def _tell(running: Mapping[str, Any]) -> bool:
    """Whether a server was there, which has read its configuration now. Raises TimeoutError if it has not."""
    monitor_url = running["monitor_url"]
    try:
        before = _loaded_at(monitor_url)
    except TimeoutError:
        _hang_up(running)  # it hangs, and does as it was told should it go on
        raise
    if before is None or not _hang_up(running):  # it was killed this moment; the next one reads the new accounts
        return False
    deadline = time.monotonic() + _RELOAD_SECONDS
    while _loaded_at(monitor_url) == before:
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True


def _hang_up(running: Mapping[str, Any]) -> bool:
    """Whether there was somebody to send the signal to."""
    try:
        os.kill(int(running["pid"]), signal.SIGHUP)
    except ProcessLookupError:
        return False
    return True


def _loaded_at(monitor_url: str) -> str | None:
    """When the server last read its configuration; None if there is no server. Raises TimeoutError if it hangs."""
    try:
        # The address is one that our own server wrote down.
        with urllib.request.urlopen(f"{monitor_url}/varz", timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
            return str(json.load(answer)["config_load_time"])
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise error.reason from None
        return None
    except (ConnectionError, http.client.HTTPException, json.JSONDecodeError):
        return None  # it was killed before it answered, or while it did
