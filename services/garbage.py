"""How often a service's process looks for garbage in circles."""

from __future__ import annotations

import atexit
import gc
from typing import Final

#: A batch makes many thousands of objects that live until it has its outcome. With Python's own threshold of 700,
#: looking through them again and again took a sixth of intake's time.
_NEW_OBJECTS: Final = 20_000


def collect_less_often() -> None:
    """Look once in a while; at what is there by now (modules, models, templates) never again."""
    gc.collect()
    gc.freeze()
    # Else what is frozen outlives the interpreter, and DuckDB says so on stderr, among the lines of the log.
    atexit.register(gc.unfreeze)
    gc.set_threshold(_NEW_OBJECTS, 10, 50)
