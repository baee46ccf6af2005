"""Whom this machine trusts to say who is who."""

from __future__ import annotations

import ssl
from functools import cache


@cache
def trusted_here() -> ssl.SSLContext:
    """What this machine trusts; nobody changes it.

    Reading it takes longer than a letter or a call, so it is read once in a process.
    """
    return ssl.create_default_context()
