"""Child processes that never outlive us."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> Callable[[], None] | None:
    """A ``preexec_fn`` after which the kernel kills the child as soon as this process is gone, however it went.

    The child is killed at once, without a chance to tidy up: every part of the chain must survive that at any
    moment anyway, and one that hangs could ignore anything gentler. None where the kernel cannot do it (only
    Linux can).
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: after the fork as little as possible should happen
    parent = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we were gone before the kernel was told
            os._exit(1)

    return prepare
