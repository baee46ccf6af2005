"""What the desk cannot do, as a sentence that says what to do instead."""

from __future__ import annotations


class DeskError(ValueError):
    """The desk was asked for what cannot be; the message is the sentence to show, without a full stop."""
