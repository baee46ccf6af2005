"""Services as processes that are forked from one that has imported everything: one starts in a tenth of the time.

What they do from then on, their signals, their logs and their ends are those of ``repairchain run``.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from typer import main as typer_main

from cli.commands import app, run

# What services import when they start and commands when they run, imported beforehand.
from services import (  # noqa: F401 - read before the fork  # isort: skip
    backtest,
    importing,
    notifier,
    projector,
    publishing,
    retailer,
    running,
    verifying,
    watchdog,
    wiring,
)
from services.desk import service  # noqa: F401  # isort: skip
from uvicorn.lifespan import off  # noqa: F401  # isort: skip
from uvicorn.protocols.http import auto, h11_impl  # noqa: F401  # isort: skip
from anyio._backends import _asyncio  # noqa: F401  # isort: skip

# The command is put together here, too, once for all.
typer_main.get_command = cache(typer_main.get_command)
typer_main.get_command(app)


def start(arguments: list[str], environment: dict[str, str], log: Path, folder: Path | None = None) -> BaseProcess:
    """A process that runs ``repairchain`` with ``arguments`` in just that environment; what it says goes to ``log``.

    ``folder`` is where it runs, if not here.
    """
    return call(_run, arguments, environment, folder, log=log)


def call(function: Callable[..., None], *arguments: Any, log: Path) -> BaseProcess:
    """A process that runs ``function``, which it imports, and ends with this one; what it says goes to ``log``."""
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.reliability.unhurried", __name__, "tests.reliability.worded", "tests.reliability.frozen"]
    )
    process: BaseProcess = context.Process(target=_begin, args=(function, arguments, str(log)), daemon=True)
    process.start()
    return process


def _begin(function: Callable[..., None], arguments: tuple[Any, ...], log: str) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    function(*arguments)


def _run(arguments: list[str], environment: dict[str, str], folder: Path | None) -> None:
    if folder is not None:
        os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["repairchain", *arguments]
    run()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
