"""An end to what is said over a connection, however slowly: a time-out of a socket begins anew with each byte."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Deadline:
    """``with Deadline(seconds) as deadline:`` cuts the connections that it was given when so many seconds are over."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._line: socket.socket | None = None
        self.is_over = False

    def cuts(self, line: socket.socket) -> None:
        """Cut this one, and none that was given before."""
        self._line = line
        if self.is_over:
            self._cut()

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.is_over = True
        if self._line is not None:
            with suppress(OSError):
                # Not the method of a TLS socket, which takes itself apart while another thread reads from it.
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)
