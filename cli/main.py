"""Entry point of the program ``repairchain``. It imports next to nothing, so that Ctrl-C finds it prepared at once."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # also typing would take some milliseconds
    from types import FrameType
    from typing import Final, NoReturn

_INTERRUPTED: Final = 130  # as in errors.py, which is not imported yet

#: So many new objects make Python look for garbage in circles. What a program imports is none: with Python's own
#: threshold of 700, looking through it again and again took a command an eighth of its time, a service up to a quarter
#: of its start.
_NEW_OBJECTS: Final = 20_000


def main() -> None:
    """Import the commands and run the one that was asked for; Ctrl-C ends either without a word."""
    before = signal.getsignal(signal.SIGINT)
    if before in (signal.SIG_DFL, signal.default_int_handler):  # and not ignored, as in the background of a script
        signal.signal(signal.SIGINT, _leave)
        before = signal.default_int_handler
    gc.set_threshold(_NEW_OBJECTS, 20, 100)
    _have_streams()
    status: list[int] = []
    atexit.register(_end, status)  # what is registered first is done last
    # No number here is the work of linear algebra, whose library would begin with a thread for each core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from cli.commands import run

    signal.signal(signal.SIGINT, before)
    try:
        run()
    except KeyboardInterrupt:  # between the commands and the one that runs
        _leave()
    except SystemExit as ending:
        if isinstance(ending.code, int):
            status.append(ending.code)
        raise


def _have_streams() -> None:
    """Who is called with one of the three closed reads nothing there, and writes into nothing. Left closed, it would be
    the next file that is opened: a database, into which everything that is said would go."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is that one
            setattr(sys, name, open(number, mode, encoding="utf-8"))  # noqa: SIM115 - until the end


def _end(status: list[int]) -> None:
    """End as was asked for, all threads and all that was to be done at exit being over, and not later: Python would
    take apart all that was imported, object by object, which takes a service a sixth of a second."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody reads any more; Python has its ways with that
        return
    if status:
        os._exit(status[0])


def _leave(number: int = signal.SIGINT, frame: FrameType | None = None) -> NoReturn:
    """End here and now: an exception would be raised in the midst of an import, where it can get lost."""
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
