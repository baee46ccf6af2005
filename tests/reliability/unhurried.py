"""The first that a fork server imports: nobody looks for garbage until all is imported; frozen.py ends that."""

from __future__ import annotations

import gc

gc.disable()
