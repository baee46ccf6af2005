"""The key pairs of NATS (nkeys) with which users log in: made, recognised, checked. No files here.

The seed (``SU…``, 58 characters) is the secret; from it follows the public key (``U…``, 56 characters), which is all
that the server has to know. The library is imported where it is used: no other command should wait for it.
"""

from __future__ import annotations

import base64
import secrets
from typing import Final

_SEED_BYTES: Final = 32
_PUBLIC_BYTES: Final = 35  # what kind of key it is, the key, and two bytes that find a slip of the pen


class KeyFormatError(ValueError):
    """That is no key of a user; the message repeats nothing of it, for it may be a secret."""


def new_seed() -> str:
    """A new secret, from 256 random bits."""
    import nkeys

    seed: bytes = nkeys.encode_seed(secrets.token_bytes(_SEED_BYTES), nkeys.PREFIX_BYTE_USER)
    return seed.decode("ascii")


def public_key_of(seed: str) -> str:
    """The public key that belongs to ``seed``. Raises KeyFormatError for what is no seed of a user."""
    import nkeys

    given = seed.strip().encode("ascii", "replace")
    try:
        prefix, raw = nkeys.decode_seed(given)
        # The library does not look at the last two bytes: a seed that was mistyped would be another's.
        if prefix == nkeys.PREFIX_BYTE_USER and nkeys.encode_seed(raw, prefix) == given:
            key: bytes = nkeys.from_seed(given).public_key
            return key.decode("ascii")
    except (nkeys.NkeysError, ValueError, IndexError):
        pass
    raise KeyFormatError("that is no seed of a user's nkey: one has 58 characters and begins with SU")


def check_public_key(text: str) -> str:
    """The public key in ``text``. Raises KeyFormatError for what is none of a user, a seed above all."""
    import nkeys

    given = text.strip()
    if given.startswith("S"):
        raise KeyFormatError(
            "that is a seed, which is a secret: keep it, make another if anybody may have seen it, "
            "and name the public key that belongs to it (U…)"
        )
    try:
        raw = base64.b32decode(given.encode("ascii", "replace"))
    except ValueError:
        raw = b""
    if len(raw) != _PUBLIC_BYTES or raw[0] != nkeys.PREFIX_BYTE_USER or nkeys.crc16_checksum(raw[:-2]) != raw[-2:]:
        raise KeyFormatError("that is no public key of a user's nkey: one has 56 characters and begins with U")
    return given
