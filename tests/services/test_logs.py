"""A log that nobody can read any more stops nobody."""

from __future__ import annotations

import io
import sys

import pytest
import structlog

from services.logs import configure_logs


def test_a_stream_that_was_closed_is_written_to_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("watchdog")
    log = structlog.get_logger("test")
    log.info("heard", order="W-1")
    assert "heard" in stream.getvalue()
    stream.close()
    for say in (log.info, log.warning, log.error):
        say("not heard")
    try:
        raise ValueError
    except ValueError:
        log.exception("not heard")


def test_whoever_reads_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Pipe())
    configure_logs("watchdog")
    structlog.get_logger("test").info("not heard")
