"""The last that a fork server imports: from here on nobody looks for garbage among what is there by now.

Each service looks through all that is not frozen when it starts, which takes it a third of its time if that is all that
was imported for it.
"""

from __future__ import annotations

import gc

gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 100)  # as cli/main.py has it, which is not run here
gc.enable()
