"""A log that nobody can read any more stops nobody."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys

import pytest
import structlog

from services.logs import FASTSTREAM, configure_logs, kind_and_place


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


def test_what_is_cut_off_at_a_stop_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    configure_logs("watchdog")
    log = logging.getLogger(FASTSTREAM)
    for error in (asyncio.CancelledError(), ValueError("a fault")):
        log.error(repr(error), exc_info=error)
    assert [record.message for record in caplog.records] == ["ValueError('a fault')"]


def test_what_libraries_log_is_written_like_what_we_do(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(logging.root, "handlers", [])
    configure_logs("http", form="json")
    structlog.get_logger("test").warning("ours", order="W-1")
    try:
        raise ValueError("a fault")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in %s", "an application")
    ours, theirs = map(json.loads, stream.getvalue().splitlines())
    assert (ours["event"], ours["service"], ours["level"]) == ("ours", "http", "warning")
    assert (theirs["event"], theirs["service"], theirs["level"]) == ("Exception in an application", "http", "error")
    assert theirs["logger"] == "uvicorn.error"
    assert "ValueError: a fault" in theirs["exception"]
    assert theirs["timestamp"] >= ours["timestamp"]


def test_of_a_fault_its_kind_and_our_line_are_told_and_not_what_it_says() -> None:
    try:
        json.loads("hanneke@example.org")
    except ValueError as error:
        fault = error
    told = kind_and_place(fault)
    assert told.startswith("JSONDecodeError at tests/services/test_logs.py:")
    assert kind_and_place(KeyError("hanneke@example.org")) == "KeyError"
