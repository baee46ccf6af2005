"""How services log: structlog on standard error, as text for people or JSON for machines. No addresses, no secrets."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

#: The logger that FastStream is given.
FASTSTREAM: Final = "repairchain.faststream"

_OURS: Final = Path(__file__).parents[1]


def configure_logs(service: str, *, level: str = "info", form: str = "text") -> None:
    """Set up logging for this process; every line names ``service``."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the rich one would print every local variable
        )
    )
    what_each_has: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_a_line = [structlog.processors.format_exc_info if form == "json" else _as_it_is, renderer]
    structlog.configure(
        processors=[*what_each_has, *as_a_line],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=_logger_on(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
    # Libraries log through the standard library; FastStream would tell of every batch at INFO.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*what_each_has, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *as_a_line],
        )
    )
    logging.basicConfig(level=max(_LEVELS[level], logging.WARNING), handlers=[handler])
    logging.getLogger("faststream").setLevel(logging.WARNING)
    logging.getLogger(FASTSTREAM).addFilter(_is_no_end)
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its warnings name the recipient


def kind_and_place(fault: BaseException) -> str:
    """What kind of fault it is and where in our code it came up, as ``KeyError at services/notifying/about.py:103``.

    Not what it says: where names and addresses are in hand, they may stand there.
    """
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(_OURS) and "site-packages" not in file.parts:
            return f"{type(fault).__name__} at {file.relative_to(_OURS)}:{frame.lineno}"
    return type(fault).__name__


def _is_no_end(record: logging.LogRecord) -> bool:
    """What is cut off at a stop comes again, and is no fault: FastStream would print a traceback of each."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError)


def _as_it_is(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event


def _logger_on(stream: TextIO) -> Callable[..., _Unbreakable]:
    def logger(*_: object) -> _Unbreakable:
        return _Unbreakable(stream)

    return logger


class _Unbreakable(structlog.PrintLogger):
    """What is not worth stopping for: whoever reads the log has gone, or the disk is full.

    Between a fact and the word to a party about it stands a line in the log, and it must not be the end of either.
    """

    def msg(self, message: str) -> None:
        with suppress(OSError, ValueError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg
