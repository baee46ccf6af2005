"""The command line: typer commands and how their answers are printed."""

import sys

if sys.argv and sys.argv[0].removesuffix(".exe").endswith("repairchain"):
    # This is the program itself, and the first of our lines that it comes to: from here on Ctrl-C ends it without a
    # traceback, until main.py takes over. The public module would take a millisecond to import, in which it would not.
    import _signal  # type: ignore[import-not-found]  # it is built into CPython, and no stub describes it

    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:  # and not ignored, as in a script's background
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
